"""Evaluates the names in application namespaces. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hzlink.model import objects
from hzlink.model.choices import Mode
from hzlink.model.conditions import Condition, State
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import app_names
from hzlink.programs import hints
from hzlink.report.hops import Hop


@dataclass(frozen=True)
class AppReport:
    """The names in an application namespace. `names`: those that work; `next_step`: the command if some do not."""

    namespace: str
    condition: Condition
    names: tuple[str, ...] = ()
    next_step: str = ""


def of(
    topology: Topology, site: Site, snapshot: Snapshot, cluster: Snapshot, mode: Mode, members: Sequence[str]
) -> tuple[AppReport, ...]:
    """The application namespaces of a site. `members`: the names of the wanted members."""
    called = app_names.members(topology, mode, members)
    return tuple(_app(topology, site, app, cluster, called) for app in snapshot.apps)


def _app(topology: Topology, site: Site, app: Snapshot, cluster: Snapshot, members: Sequence[str]) -> AppReport:
    namespace, error = app.site.namespace, app.error
    if error is not None:
        return AppReport(namespace, Condition(State.UNKNOWN, error.message), next_step=error.next_step or "")
    targets = app_names.targets(topology, site, namespace, cluster, members)
    taken = app_names.foreign(topology, app, tuple(targets))
    missing = [name for name in targets if app.get("Service", name) is None]
    wrong = [name for name, target in targets.items() if name not in (*taken, *missing) and _differs(app, name, target)]
    texts = [f"no Service {', '.join(missing)}"] if missing else []
    texts += [f"Service {', '.join(taken)} is not hzlink's"] if taken else []
    texts += [f"Service {', '.join(wrong)} leads elsewhere"] if wrong else []
    names = tuple(name for name in targets if name not in (*missing, *taken, *wrong))
    if not texts:
        return AppReport(namespace, Condition(State.OK), names)
    shown = hints.kubectl(app.site, f"get service {' '.join(taken)} --show-labels") if taken else hints.hzlink("up")
    return AppReport(namespace, Condition(State.BROKEN, "; ".join(texts)), names, shown)


def _differs(app: Snapshot, name: str, target: str) -> bool:
    """Whether the Service stands for another name. The cluster domain is not compared: it is an option of `up`."""
    spec = objects.spec(app.get("Service", name) or {})
    return spec.get("type") != "ExternalName" or not str(spec.get("externalName")).startswith(f"{target}.")


def hop(site: Site, apps: Sequence[AppReport]) -> Hop | None:
    """The first hop of a client site's path if an application namespace lacks names; None if none does."""
    for app in apps:
        if not app.condition.ok:
            name = f"application namespace {app.namespace}"
            text = f"namespace {app.namespace}: {app.condition.text}"
            return Hop("applications", name, site, Condition(app.condition.state, text), next_step=app.next_step)
    return None
