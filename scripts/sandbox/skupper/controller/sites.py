"""Sites: which one is active, its objects and its status."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import CONFIG_MAPS, DEPLOYMENTS, PODS, SERVICES, Obj, Resource
from sandbox.skupper import VERSION
from sandbox.skupper.controller import kinds, leader_election, options, status, templates
from sandbox.skupper.controller.cluster import Cluster, labels_match
from sandbox.skupper.controller.reconcile import Cycle

_CONTROLLER = {"name": "skupper-controller", "namespace": "skupper", "version": VERSION}
_ROUTER_PODS = {"skupper.io/component": "router", "skupper.io/type": "site"}


class Sites:
    """The active Site of every namespace of every cluster."""

    def __init__(self) -> None:
        self._active: dict[tuple[str, str], Obj] = {}
        self._made: set[tuple[str, str]] = set()
        self._tried: dict[str, str] = {}

    def active(self, cluster: Cluster, namespace: str) -> Obj | None:
        """The current object of the namespace's active Site."""
        known = self._active.get((cluster.name, namespace))
        return None if known is None else cluster.get(kinds.SITES, namespace, known["metadata"]["name"])

    def namespaces(self, cluster: Cluster) -> list[str]:
        """Namespaces with an active Site."""
        return sorted(namespace for where, namespace in self._active if where == cluster.name)

    def working(self, cluster: Cluster) -> dict[str, Obj]:
        """The active Sites whose router is configured, by namespace."""
        found = {}
        for namespace in self.namespaces(cluster):
            site = self.active(cluster, namespace)
            if site is not None and self.initialised(site):
                found[namespace] = site
        return found

    def initialised(self, site: Obj) -> bool:
        """Whether the router's configuration exists, so that Links and Listeners are handled."""
        return site["metadata"]["uid"] in {uid for _, uid in self._made}

    def select_active(self, cluster: Cluster) -> None:
        """Selects the active Sites: after a deletion the oldest other one of the namespace."""
        for where, namespace in [key for key in self._active if key[0] == cluster.name]:
            known = self._active[where, namespace]
            now = cluster.get(kinds.SITES, namespace, known["metadata"]["name"])
            if now is None or now["metadata"]["uid"] != known["metadata"]["uid"]:
                del self._active[where, namespace]
                self._made.discard((cluster.name, known["metadata"]["uid"]))
                _clean_up(cluster, namespace)
        for site in cluster.all(kinds.SITES):
            self._active.setdefault((cluster.name, site["metadata"]["namespace"]), site)

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Updates every Site's objects and status."""
        cycle.for_each(cluster.all(kinds.SITES), partial(self._one, cycle, cluster))

    def _one(self, cycle: Cycle, cluster: Cluster, site: Obj) -> None:
        active = self.active(cluster, site["metadata"]["namespace"])
        if active is not None and active["metadata"]["uid"] == site["metadata"]["uid"]:
            self._reconcile(cycle, cluster, site)
        elif active is not None:
            name = active["metadata"]["name"]
            _set_inactive(cluster, site, f"An active site already exists in the namespace ({name})")

    def _reconcile(self, cycle: Cycle, cluster: Cluster, site: Obj) -> None:
        access = site["spec"].get("linkAccess", "")
        if access not in ("", "none", "default", *options.of(cluster, site["metadata"]["namespace"]).enabled):
            _set_configured(cluster, site, f"Unsupported value for LinkAccess: {access}")
            return
        problem = self._initialise(cycle, cluster, site)
        _set_configured(cluster, site, problem)
        if not problem and "deletionTimestamp" not in site["metadata"]:
            self._make(cycle, cluster, site)
        _set_running(cycle, cluster, site)

    def _initialise(self, cycle: Cycle, cluster: Cluster, site: Obj) -> str:
        """Creates the router's configuration; returns why that fails. Retried at a change and at the resync."""
        uid, version = site["metadata"]["uid"], site["metadata"]["resourceVersion"]
        if self.initialised(site):
            return ""
        namespace = site["metadata"]["namespace"]
        waited = cycle.elapsed("resync", cycle.delays.resync, cluster.name, namespace, of=f"site {uid} {version}")
        if self._tried.get(uid) == version and not waited:
            return _configured_problem(site)
        self._tried[uid] = version
        for config in cluster.all(CONFIG_MAPS, namespace):
            if uid not in {ref["uid"] for ref in config["metadata"].get("ownerReferences", [])}:
                return f'{config["metadata"]["name"]} is not owned by skupper site "{uid}"'
        if cluster.ensure(CONFIG_MAPS, templates.router_config(site)) is None:
            return f'{templates.ROUTER} is not owned by skupper site "{uid}"'
        self._made.add((cluster.name, uid))
        return ""

    def _make(self, cycle: Cycle, cluster: Cluster, site: Obj) -> None:
        """Creates a Site's objects. Those of a deleted Site of the same name have to be removed first."""
        if not site["spec"].get("serviceAccount"):
            for resource, obj in templates.account_and_rights(site):
                self._ensure_once(cycle, cluster, resource, obj, site)
        for certificate in templates.certificates(site):
            cluster.ensure(kinds.CERTIFICATES, certificate)
        if site["spec"].get("linkAccess", "") not in ("", "none"):
            cluster.ensure_spec(kinds.ROUTER_ACCESSES, templates.router_access(site))
        for group in templates.groups(site):
            cluster.ensure(DEPLOYMENTS, templates.deployment(site, _ready_after(cycle, cluster, site), group))
        cluster.ensure(SERVICES, templates.local_service(site))

    def _ensure_once(self, cycle: Cycle, cluster: Cluster, resource: Resource, wanted: Obj, site: Obj) -> None:
        """Creates an object of a kind that is not watched, once for each Site."""
        key = (f"{cluster.name} {resource.plural}", site["metadata"]["uid"])
        if key in self._made:
            return
        if cluster.ensure(resource, wanted) is not None:
            self._made.add(key)
        else:
            cycle.requeue_at(cycle.now + cycle.delays.resync.of(cluster.name, site["metadata"]["namespace"]))


def router_pods(cluster: Cluster, namespace: str) -> list[Obj]:
    """The namespace's router pods."""
    return [pod for pod in cluster.all(PODS, namespace) if labels_match(_ROUTER_PODS, pod)]


def ready_groups(cluster: Cluster, namespace: str) -> set[str]:
    """The groups that have a router which is ready."""
    living = [pod for pod in router_pods(cluster, namespace) if "deletionTimestamp" not in pod["metadata"]]
    return {str(pod["metadata"]["labels"].get("skupper.io/group", "")) for pod in living if is_ready(pod)}


def is_ready(pod: Obj) -> bool:
    """Running and Ready."""
    return pod.get("status", {}).get("phase") == "Running" and status.is_true(pod, "Ready")


def router_is_ready(cycle: Cycle, cluster: Cluster, namespace: str) -> bool:
    """Whether a router of the namespace is running and ready."""
    if cycle.faults.get("site", cluster.name, namespace) == "never-ready":
        return False
    return any(is_ready(pod) for pod in router_pods(cluster, namespace))


def running_state(pods: list[Obj], never_ready: bool = False) -> status.State:
    """The Site's Running condition, with the reason of the last router pod that is not ready."""
    state = status.pending("No router pod is ready")
    for pod in pods:
        if is_ready(pod) and not never_ready:
            return status.OK
        state = _pod_state(pod)
    return state


def _pod_state(pod: Obj) -> status.State:
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["status"] == "False":
            return status.pending(condition.get("message") or _unready(pod))
    if is_ready(pod):
        return status.pending(_unready(pod))
    return status.pending(f"Pod {pod['metadata']['name']} not ready")


def _unready(pod: Obj) -> str:
    """The kubelet's message for a pod with unready containers."""
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    return f"containers with unready status: [{names}]"


def _set_running(cycle: Cycle, cluster: Cluster, site: Obj) -> None:
    namespace = site["metadata"]["namespace"]
    pods = router_pods(cluster, namespace)
    current = cluster.get(kinds.SITES, namespace, site["metadata"]["name"]) or site
    if not pods and status.find(current, status.RUNNING) is None:
        return
    never_ready = cycle.faults.get("site", cluster.name, namespace) == "never-ready"
    with cluster.status_of(kinds.SITES, current) as fresh:
        status.mark(fresh, status.RUNNING, running_state(pods, never_ready), status.site_needs(fresh["spec"]))


def set_endpoints(cluster: Cluster, site: Obj, endpoints: list[Obj]) -> None:
    """Sets the Resolved condition and the endpoints of a Site with a RouterAccess."""
    with cluster.status_of(kinds.SITES, site) as fresh:
        status.set_field(fresh, "endpoints", endpoints)
        state = status.ok_or_pending(bool(endpoints))
        status.mark(fresh, status.RESOLVED, state, status.site_needs(fresh["spec"]))


def _set_inactive(cluster: Cluster, site: Obj, problem: str) -> None:
    with cluster.status_of(kinds.SITES, site) as fresh:
        status.set_field(fresh, "controller", _CONTROLLER)
        status.mark(fresh, status.CONFIGURED, status.error(problem), status.site_needs(fresh["spec"]))


def _set_configured(cluster: Cluster, site: Obj, problem: str) -> None:
    with cluster.status_of(kinds.SITES, site) as fresh:
        status.set_field(fresh, "controller", _CONTROLLER)
        status.set_field(fresh, "defaultIssuer", site["spec"].get("defaultIssuer", templates.SITE_CA))
        status.mark(fresh, status.CONFIGURED, status.ok_or_error(problem), status.site_needs(fresh["spec"]))


def _configured_problem(site: Obj) -> str:
    condition = status.find(site, status.CONFIGURED)
    return "" if condition is None or condition["status"] == "True" else str(condition["message"])


def _ready_after(cycle: Cycle, cluster: Cluster, site: Obj) -> float:
    plain = site["spec"].get("linkAccess", "") in ("", "none")
    span = cycle.delays.router_ready if plain else cycle.delays.router_ready_access
    return span.of("router", cluster.name, site["metadata"]["namespace"])


def _clean_up(cluster: Cluster, namespace: str) -> None:
    """Updates the redeemed tokens and the leader's Lease of a deleted Site."""
    for token in cluster.all(kinds.TOKENS, namespace):
        if status.is_true(token, status.REDEEMED):
            over = "Already redeemed for a deleted site"
            with cluster.status_of(kinds.TOKENS, token) as fresh:
                status.set_condition(fresh, status.REDEEMED, status.State(ok=True, reason="Error", message=over))
                fresh["status"].update(redeemed=True, status="Error", message=over)
    leader_election.release(cluster, namespace)
