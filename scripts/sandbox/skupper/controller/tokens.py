"""AccessTokens: redeeming one at its URL creates a Link and a Secret, both with the token's name."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import urlsplit

from sandbox.api.kinds import SECRETS, ConflictError, Obj
from sandbox.skupper.controller import kinds, status, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.grants import Grants, Response
from sandbox.skupper.controller.host_names import HostNames
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites

_PHRASES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


class Tokens:
    """The AccessTokens of every cluster."""

    def __init__(self, sites: Sites, grants: Grants, names: HostNames, clusters: list[Cluster]) -> None:
        self._sites = sites
        self._grants = grants
        self._names = names
        self._first_tried: dict[tuple[str, str], float] = {}
        self._clusters = clusters
        self._tried: dict[str, str] = {}

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Redeems every token that is not redeemed: on each change of it (own ones too) and at each resync."""
        cycle.for_each(cluster.all(kinds.TOKENS), partial(self._one, cycle, cluster))

    def _one(self, cycle: Cycle, cluster: Cluster, token: Obj) -> None:
        namespace, uid = token["metadata"]["namespace"], token["metadata"]["uid"]
        site = self._sites.active(cluster, namespace)
        if site is None:
            return
        if status.is_true(token, status.REDEEMED):
            self._redeem_again_if_asked(cycle, cluster, site, token)
            return
        if not cycle.elapsed("redeem", cycle.delays.redeem, of=uid):
            return
        version = token["metadata"]["resourceVersion"]
        again = cycle.elapsed("resync", cycle.delays.resync, cluster.name, namespace, of=f"{uid} {version}")
        if self._tried.get(uid) == version and not again:
            return
        self._tried[uid] = version
        self._redeem(cycle, cluster, site, token)
        if again:
            # The next attempt without a change comes a whole resync period later.
            cycle.timers.restart(("resync", cluster.name, namespace, f"{uid} {version}"), cycle.now)

    def _redeem_again_if_asked(self, cycle: Cycle, cluster: Cluster, site: Obj, token: Obj) -> None:
        """With the fault `link_delete`: a redeemed token whose Link is gone is redeemed again."""
        namespace, name = token["metadata"]["namespace"], token["metadata"]["name"]
        if cycle.faults.get("link_delete", cluster.name, namespace) != "redeem":
            return
        if cluster.get(kinds.LINKS, namespace, name) is None:
            self._redeem(cycle, cluster, site, token)

    def _redeem(self, cycle: Cycle, cluster: Cluster, site: Obj, token: Obj) -> None:
        problem = self._try_to_redeem(cycle, cluster, site, token)
        state = status.ok_or_error(problem)
        with cluster.status_of(kinds.TOKENS, token) as fresh:
            status.set_condition(fresh, status.REDEEMED, state)
            if state.ok:
                fresh["status"]["redeemed"] = True
            fresh["status"].update(status=state.reason, message=state.message)

    def _try_to_redeem(self, cycle: Cycle, cluster: Cluster, site: Obj, token: Obj) -> str:
        """Redeems; returns the real controller's error message, or an empty text."""
        response = self._post(cycle, cluster, token, subject=site["metadata"]["uid"])
        if isinstance(response, str):
            return f"Controller got error: {response}"
        if response.code != 200:
            phrase = _PHRASES[response.code]
            return f"Controller got failed response: {response.code} ({phrase}) {response.text}"
        return _create_secret_and_link(cluster, site, token, response)

    def _post(self, cycle: Cycle, cluster: Cluster, token: Obj, subject: str) -> Response | str:
        """The response, or the error message of Go's HTTP client."""
        spec = token["spec"]
        url = spec["url"]
        where = urlsplit(url)
        if wrong := _wrong_url(url):
            return wrong
        if self._names.cluster_of(where.hostname or "") and not self._names.resolves(
            cycle, cluster.name, where.hostname or ""
        ):
            return f'Post "{url}": dial tcp: lookup {where.hostname} on 127.0.0.53:53: no such host'
        issuer = self._grant_server_at(where.netloc)
        if issuer is not None and not self._answers(cycle, issuer, self._grants.namespace_of(issuer, where.path)):
            cluster.blocked_until = cycle.now + cycle.delays.unreachable.of(cluster.name)
            cycle.requeue_at(cluster.blocked_until)
            return f'Post "{url}": dial tcp {where.netloc}: connect: connection timed out'
        if issuer is None or cycle.faults.get("redeem", cluster.name, token["metadata"]["namespace"]) == "unreachable":
            reason, waits = _unreachable(where.hostname or "", where.netloc)
            if waits:
                cluster.blocked_until = cycle.now + cycle.delays.unreachable.of(cluster.name)
                cycle.requeue_at(cluster.blocked_until)
            return f'Post "{url}": {reason}'
        if where.scheme == "http":
            return Response(400, "Client sent an HTTP request to an HTTPS server.")
        if spec["ca"].strip() != self._grants.ca(issuer).strip():
            reason = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            return f'Post "{url}": {reason}'
        return self._grants.redeem(cycle, issuer, where.path, spec["code"], subject)

    def _answers(self, cycle: Cycle, issuer: Cluster, namespace: str) -> bool:
        """Whether the grant server's address answers already, see the fault `lb_answer`."""
        seconds = cycle.faults.get("lb_answer", issuer.name, namespace)
        if seconds is None:
            return True
        return cycle.now >= self._first_tried.setdefault((issuer.name, namespace), cycle.now) + float(seconds)

    def _grant_server_at(self, address: str) -> Cluster | None:
        named = self._names.cluster_of(address.partition(":")[0])
        for cluster in self._clusters:
            if named == cluster.name or (address and self._grants.current_address(cluster) == address):
                return cluster
        return None


def _wrong_url(url: str) -> str:
    """The error of an invalid URL, or an empty text."""
    where = urlsplit(url)
    if where.scheme in ("http", "https"):
        if " " in where.netloc:
            return f'parse "{url}": invalid character " " in host name'
        return ""
    if ":" in url.split("/")[0]:
        return f'parse "{url}": first path segment in URL cannot contain colon'
    return f'Post "{url}": unsupported protocol scheme "{where.scheme}"'


def _unreachable(host: str, address: str) -> tuple[str, bool]:
    """The error of an address without a grant server, and whether the connection attempt takes long."""
    if not _ADDRESS.fullmatch(host):
        return f"dial tcp: lookup {host}: no such host", False
    if host.startswith("127."):
        return f"dial tcp {address}: connect: connection refused", False
    return f"dial tcp {address}: connect: no route to host", True


def _create_secret_and_link(cluster: Cluster, site: Obj, token: Obj, response: Response) -> str:
    """Creates the Secret and a Link for each group of endpoints; returns why that failed, or an empty text."""
    name = token["metadata"]["name"]
    meta = templates.meta(site, name)
    secret: Obj = {"metadata": meta, "type": "kubernetes.io/tls", "data": response.secret}
    links: list[Obj] = []
    groups = list(dict.fromkeys(endpoint.get("group", "") for endpoint in response.endpoints))
    for number, group in enumerate(groups, 1):
        endpoints = [endpoint for endpoint in response.endpoints if endpoint.get("group", "") == group]
        spec: Obj = {"endpoints": endpoints, "tlsCredentials": name}
        if token["spec"].get("linkCost", 0) > 0:
            spec["cost"] = token["spec"]["linkCost"]
        own = templates.meta(site, name if len(groups) == 1 else f"{name}-{number}")
        links.append({"metadata": own, "spec": spec})
    for what, resource, obj in (("secret", SECRETS, secret), *(("link", kinds.LINKS, link) for link in links)):
        try:
            cluster.create(resource, obj)
        except ConflictError as err:
            return f"Controller could not create received {what}: {err.message}"
    return ""
