"""Makes a Link without a token, which needs no grant server: the issuing Site's certificate is copied by hzlink.

It makes the same objects as `skupper link generate`: a client Certificate of the issuing Site, a copy of its Secret at
the other side, and a Link to the issuing Site's endpoints (Skupper 2.2).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hzlink.linking import failures, token_flow
from hzlink.linking.token_flow import CLEAN_UP_LIMIT_SECONDS, Linking
from hzlink.model import conditions, link_host, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError
from hzlink.model.link_host import LinkHost
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import labels
from hzlink.observe.waiting import Objects
from hzlink.programs import process
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.tasks import shielded

CERTIFICATES, SECRETS = RESOURCES["Certificate"], RESOURCES["Secret"]
LOCAL = "local"
# The default CA of a Site.
SITE_CA = "skupper-site-ca"
# The endpoints of a Link: for routers of other sites, and for edge routers.
_ROLES = ("inter-router", "edge")


def is_local(issuer_site: Object | None) -> bool:
    """Whether the issuing Site can be reached only from inside its cluster."""
    return objects.spec(issuer_site or {}).get("linkAccess") == LOCAL


def has_own_access(site: Object | None) -> bool:
    """Whether the Site's tokens carry the endpoint of a --link-host's access, which other clusters cannot reach."""
    endpoints = objects.status(site or {}).get("endpoints") or []
    return any(link_host.is_own_endpoint(str(one.get("host") or "")) for one in endpoints)


async def make(linking: Linking, issuer_site: Object, redeemer_site: Object, host: LinkHost | None = None) -> None:
    """Makes the Link and waits until it is Ready. Afterwards only the Link and its Secret remain.

    `host`: where it leads, instead of the issuing Site's endpoints.

    Raises:
        HzlinkError: it failed; names the side and the reason.
    """
    name, certificate = linking.name, Ref(CERTIFICATES, linking.grant_name)
    credentials = Ref(SECRETS, linking.grant_name)
    if (owners := await linking.issuer.owner_kinds(credentials)) is not None and "Certificate" not in owners:
        raise HzlinkError(
            failures.NAME_TAKEN, site=linking.issuer.site.name, subject=str(credentials), next_step=failures.RENAME
        )
    # Objects that an earlier run left may be signed by the CA of another Site.
    await linking.issuer.delete([certificate, credentials])
    # They are removed before the Link exists: a run after a kill makes the Link, and so removes what is left of them.
    try:
        data = await _credentials(linking, issuer_site, certificate, credentials)
    finally:
        await shielded(_clean_up(linking, certificate, credentials), CLEAN_UP_LIMIT_SECONDS)
    by_site = [_owner(redeemer_site)]
    await linking.redeemer.create(_secret(name, data, by_site))
    marks = labels(linking.topology_name)
    for item in [link_to_host(host, name, marks)] if host else links_to(issuer_site, name, marks):
        annotations = {**(item["metadata"].get("annotations") or {}), **token_flow.stamp()}
        metadata = {**item["metadata"], "annotations": annotations, "ownerReferences": by_site}
        await linking.redeemer.create({**item, "metadata": metadata})
    await token_flow.mark_and_wait(linking)


async def _credentials(linking: Linking, issuer_site: Object, certificate: Ref, secret: Ref) -> Mapping[str, str]:
    """The data of the Secret that Skupper makes for a Certificate."""
    ca = objects.status(issuer_site).get("defaultIssuer") or objects.spec(issuer_site).get("defaultIssuer") or SITE_CA
    await linking.issuer.create(
        {
            "apiVersion": token_flow.API,
            "kind": "Certificate",
            "metadata": {"name": certificate.name, "labels": labels(linking.topology_name)},
            "spec": {"ca": str(ca), "subject": linking.name, "client": True},
        }
    )

    def judge(found: Objects) -> Condition:
        item = found.get(certificate.name)
        made = item is not None and objects.holds(item, "Ready")
        return Condition(State.OK) if made else conditions.skupper(item)

    await linking.wait(linking.issuer, "certificate for the link").watch(CERTIFICATES, judge, name=certificate.name)
    found = await linking.issuer.get(secret)
    data = (found or {}).get("data")
    if not isinstance(data, Mapping) or not data.get("tls.key"):
        raise HzlinkError(
            "Skupper made no credentials for the link", site=linking.issuer.site.name, subject=f"Secret {secret.name}"
        )
    _conceal(data)
    return {str(key): str(value) for key, value in data.items()}


def _conceal(data: Mapping[str, Any]) -> None:
    key = str(data["tls.key"])
    process.conceal(key)
    with suppress(binascii.Error, UnicodeDecodeError):
        process.conceal(base64.b64decode(key).decode())


def _owner(site: Object) -> dict[str, str]:
    """The Site as owner, as of the objects that Skupper makes from a token: `down` and the next run recognize them."""
    return {"apiVersion": token_flow.API, "kind": "Site", "name": objects.name(site), "uid": objects.uid(site)}


def _secret(name: str, data: Mapping[str, str], owners: list[dict[str, str]]) -> Object:
    metadata = {"name": name, "ownerReferences": owners}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": dict(data)}


def links_to(issuer_site: Object, name: str, marks: Mapping[str, str]) -> list[Object]:
    """The Links to a Site: one for each of its routers (`ha: true`: two), with the names that Skupper would use."""
    groups: dict[str, list[dict[str, str]]] = {}
    for endpoint in objects.status(issuer_site).get("endpoints") or []:
        if endpoint.get("name") in _ROLES and endpoint.get("host") and not link_host.is_own_endpoint(endpoint["host"]):
            one = {key: str(endpoint[key]) for key in ("name", "host", "port", "group") if endpoint.get(key)}
            groups.setdefault(str(endpoint.get("group") or ""), []).append(one)
    names = [name] if len(groups) == 1 else [f"{name}-{number}" for number in range(1, len(groups) + 1)]
    return [
        {
            "apiVersion": token_flow.API,
            "kind": "Link",
            "metadata": {"name": one, "labels": dict(marks)},
            "spec": {"endpoints": endpoints, "tlsCredentials": name},
        }
        for one, (_, endpoints) in zip(names, sorted(groups.items()), strict=True)
    ]


def link_to_host(host: LinkHost, name: str, marks: Mapping[str, str]) -> Object:
    """The Link to a --link-host, with the host in an annotation."""
    return {
        "apiVersion": token_flow.API,
        "kind": "Link",
        "metadata": {"name": name, "labels": dict(marks), "annotations": {link_host.ANNOTATION: str(host)}},
        "spec": {"endpoints": [host.endpoint], "tlsCredentials": name},
    }


async def _clean_up(linking: Linking, certificate: Ref, secret: Ref) -> None:
    """Deletes the Certificate first, because Skupper would make its Secret again. The next run deletes the rest."""
    issuer = Kubectl(linking.issuer.site, CLEAN_UP_LIMIT_SECONDS)
    with suppress(HzlinkError):
        await issuer.delete([certificate])
        await issuer.wait_gone([certificate], CLEAN_UP_LIMIT_SECONDS / 2)
        await issuer.delete([secret])
