"""AccessGrants, and the grant server that redeems them.

The server is simulated inside the controller: a token's URL is compared with the load balancer addresses of the grant
servers, so that a wrong URL fails as it does in a real cluster.
"""

from __future__ import annotations

import copy
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sandbox.api.kinds import SECRETS, SERVICES, Obj, timestamp
from sandbox.skupper import durations
from sandbox.skupper.controller import install, kinds, pki, status, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.host_names import FAULT, HostNames
from sandbox.skupper.controller.load_balancers import address_of
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites

_DEFAULT_WINDOW = 600.0
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Response:
    """The grant server's response: an HTTP status and a text, or (200) a Secret's data and a Link's endpoints."""

    code: int
    text: str = ""
    secret: dict[str, str] | None = None
    endpoints: tuple[Obj, ...] = ()


class Grants:
    """The grant server of every cluster."""

    def __init__(self, sites: Sites, names: HostNames) -> None:
        self._sites = sites
        self._names = names
        self._url: dict[str, str] = {}

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Updates every AccessGrant's status."""
        self._learn_address(cluster)
        cycle.for_each(cluster.all(kinds.GRANTS), partial(self._one, cycle, cluster))

    def _one(self, cycle: Cycle, cluster: Cluster, grant: Obj) -> None:
        if not grant["spec"].get("redemptionsAllowed"):
            spec = {**grant["spec"], "redemptionsAllowed": 1}
            grant = cluster.replace(kinds.GRANTS, {**grant, "spec": spec}) or grant
        with cluster.status_of(kinds.GRANTS, grant) as fresh:
            self._fill_in(cycle, cluster, fresh)

    def _learn_address(self, cluster: Cluster) -> None:
        """Keeps the last address when the load balancer removes it, as the real controller does."""
        access = cluster.get(kinds.SECURED_ACCESSES, install.NAMESPACE, install.GRANT_SERVER)
        endpoints = ((access or {}).get("status") or {}).get("endpoints") or []
        if endpoints:
            self._url[cluster.name] = f"{endpoints[0]['host']}:{endpoints[0]['port']}"

    def _fill_in(self, cycle: Cycle, cluster: Cluster, grant: Obj) -> None:
        current = grant.setdefault("status", {})
        unaddressed = cycle.faults.exact("grant_server", cluster.name, grant["metadata"]["namespace"]) is False
        base = "" if unaddressed else self._url.get(cluster.name, "")
        if base and cycle.faults.exact(FAULT, cluster.name, grant["metadata"]["namespace"]) is not None:
            host = self._names.give(cluster.name, grant["metadata"]["namespace"], install.GRANT_SERVER)
            base = f"{host}:{install.GRANT_PORT}"
        ca = pki.ca_of(cluster.get(SECRETS, install.NAMESPACE, install.GRANT_SERVER))
        status.set_field(grant, "url", f"https://{base}/{grant['metadata']['uid']}" if base else "")
        status.set_field(grant, "ca", ca)
        if not current.get("code"):
            current["code"] = grant["spec"].get("code") or _random(24)
        problem = ""
        if not current.get("expirationTime"):
            try:
                window = _window(grant["spec"].get("expirationWindow", ""))
            except ValueError as err:
                problem = f'Invalid duration "{grant["spec"]["expirationWindow"]}": {err}'
            else:
                current["expirationTime"] = timestamp(_clock(cycle, cluster, grant) + timedelta(seconds=window))
        status.mark(grant, status.PROCESSED, status.ok_or_error(problem), status.GRANT_NEEDS)
        resolved = status.ok_or_pending(bool(current.get("url") and current.get("ca")))
        status.mark(grant, status.RESOLVED, resolved, status.GRANT_NEEDS)

    def current_address(self, cluster: Cluster) -> str:
        """`host:port` at which the cluster's grant server answers now; empty if it has no address."""
        service = cluster.get(SERVICES, install.NAMESPACE, install.GRANT_SERVER)
        address = address_of(service)
        return f"{address}:{install.GRANT_PORT}" if address else ""

    def namespace_of(self, cluster: Cluster, path: str) -> str:
        """The namespace of the grant that is redeemed at this path; empty where there is none."""
        key = path.replace("/", "")
        found = (g["metadata"]["namespace"] for g in cluster.all(kinds.GRANTS) if g["metadata"]["uid"] == key)
        return str(next(found, ""))

    def ca(self, cluster: Cluster) -> str:
        """The CA certificate of the cluster's grant server."""
        return pki.ca_of(cluster.get(SECRETS, install.NAMESPACE, install.GRANT_SERVER))

    def redeem(self, cycle: Cycle, cluster: Cluster, path: str, code: str, subject: str) -> Response:
        """One POST to the cluster's grant server. The redemption is counted before the credentials are made."""
        key = path.replace("/", "")
        grant = next((g for g in cluster.all(kinds.GRANTS) if g["metadata"]["uid"] == key), None)
        if grant is None:
            return Response(404, "No such claim")
        refusal = _refusal(cycle, cluster, grant, code)
        if refusal is not None:
            return refusal
        fresh = copy.deepcopy(grant)
        fresh["status"]["redemptions"] = fresh["status"].get("redemptions", 0) + 1
        if cluster.set_status(kinds.GRANTS, fresh) is None:
            return Response(503, "Internal error")
        if cycle.faults.get("redeem", cluster.name, grant["metadata"]["namespace"]) == "error":
            return Response(500, "simulated failure")
        return self._credentials(cluster, grant["metadata"]["namespace"], subject)

    def _credentials(self, cluster: Cluster, namespace: str, subject: str) -> Response:
        site = self._sites.active(cluster, namespace)
        if site is None:
            return Response(500, f"Site not yet defined for {namespace}")
        issuer = site["status"].get("defaultIssuer") or templates.SITE_CA
        ca = pki.ca_of(cluster.get(SECRETS, namespace, issuer))
        if not ca:
            return Response(500, "Could not get issuer for requested certificate")
        endpoints = tuple(e for e in site["status"].get("endpoints") or [] if e["name"] in ("inter-router", "edge"))
        if not endpoints:
            return Response(500, "Could not resolve any endpoints for requested link")
        return Response(200, secret=pki.secret_data(subject, ca), endpoints=endpoints)


def _refusal(cycle: Cycle, cluster: Cluster, grant: Obj, code: str) -> Response | None:
    known = grant.get("status") or {}
    expiration = known.get("expirationTime", "")
    if not expiration:
        return Response(500, "Corrupted claim")
    if datetime.fromisoformat(expiration) < _clock(cycle, cluster, grant):
        return Response(404, "No such claim")
    if grant["spec"].get("redemptionsAllowed", 1) <= known.get("redemptions", 0):
        return Response(404, "No such access granted")
    if (
        known.get("code") != code
        or cycle.faults.get("redeem", cluster.name, grant["metadata"]["namespace"]) == "refused"
    ):
        return Response(403, "Redemption of access token refused")
    return None


def _window(text: str) -> float:
    return durations.parse(text) if text else _DEFAULT_WINDOW


def _clock(cycle: Cycle, cluster: Cluster, grant: Obj) -> datetime:
    ahead = cycle.faults.clock(cluster.name, grant["metadata"]["namespace"])
    return datetime.now(UTC) + timedelta(seconds=ahead)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))
