"""The report as the versioned document of `-o json` and `-o yaml`, which docs/json.md describes. Pure."""

from __future__ import annotations

from typing import Any

from hzlink.model.choices import Role
from hzlink.observe.ways import WayLink
from hzlink.report.hops import Hop, Path
from hzlink.report.report import Report
from hzlink.report.site_status import LinkReport, SiteReport

API_VERSION = "hzlink/v1"


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "topology": report.topology.name,
        "mode": str(report.mode),
        "healthy": report.healthy,
        "observedAt": report.at.strftime("%Y-%m-%dT%H:%M:%SZ") if report.at else None,
        "sites": [_site(site) for site in report.sites],
        "links": [_link(report, link) for link in report.links],
        "members": [
            {"name": member.name, "ready": member.ready, "message": member.problem} for member in report.members
        ],
        "paths": [_path(path) for path in report.paths],
        "findings": [
            {"about": str(one.kind), "site": one.site.name, "message": one.text} for one in report.disagreements
        ],
        "warnings": list(report.warnings),
        "firstBrokenHop": _hop(report.blame) if report.blame else None,
    }


# Fields that change with every observation.
_VOLATILE = ("observedAt", "ageSeconds")


def without_volatile(report: Report) -> dict[str, Any]:
    """The document without the fields that change with every observation: equal documents are the same state."""
    kept: dict[str, Any] = _without_volatile(to_dict(report))
    return kept


def _without_volatile(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_volatile(value) for key, value in part.items() if key not in _VOLATILE}
    return [_without_volatile(value) for value in part] if isinstance(part, list) else part


def _link(report: Report, link: LinkReport) -> dict[str, Any]:
    document: dict[str, Any] = {
        "client": link.client.name,
        "cluster": report.topology.cluster.name,
        "name": link.name,
        "issuer": link.issuer.name if link.issuer else None,
        "state": str(link.condition.state),
        "message": link.condition.text,
    }
    if link.way is not None:
        document["way"] = [_way_link(one) for one in link.way.links]
    if link.routers:
        document["routers"] = [
            {"name": name, "state": str(condition.state), "message": condition.text} for name, condition in link.routers
        ]
    return document


def _way_link(link: WayLink) -> dict[str, Any]:
    return {
        "name": link.name,
        "from": link.near.name,
        "to": link.far.name,
        "holder": link.holder.name,
        "state": str(link.condition.state),
        "message": link.condition.text,
    }


def _site(site: SiteReport) -> dict[str, Any]:
    offers = {Role.CLUSTER: "connector", Role.CLIENT: "listener"}
    document: dict[str, Any] = {
        "name": site.site.name,
        "role": str(site.site.role),
        "context": site.site.context,
        "namespace": site.site.namespace,
        "state": str(site.refusal or ("unknown" if site.error else "read")),
        "skupper": {
            "state": str(site.skupper.state),
            "message": site.skupper.text,
            "name": site.skupper_name or None,
            "managed": not site.foreign if site.skupper_name else None,
            "version": site.version,
            "address": site.host or None,
        },
    }
    if site.site.role in offers:
        document[offers[site.site.role]] = {"state": str(site.matched.state), "message": site.matched.text}
    if site.names is not None:
        document["names"] = list(site.names)
    if site.apps:
        document["appNamespaces"] = [
            {
                "namespace": app.namespace,
                "state": str(app.condition.state),
                "message": app.condition.text,
                "names": list(app.names),
            }
            for app in site.apps
        ]
    if site.mancenter is not None:
        document["managementCenter"] = {
            "state": str(site.mancenter.state),
            "message": site.mancenter.text,
            "address": site.mancenter_address or None,
            "forward": site.mancenter_command or None,
            "sees": site.mancenter_view.to_dict() if site.mancenter_view else None,
        }
    elif site.mancenter_left_out:
        document["managementCenter"] = None
    return document


def _path(path: Path) -> dict[str, Any]:
    return {
        "client": path.client.name,
        "healthy": path.broken is None,
        "firstBroken": path.broken,
        "hops": [_hop(hop) for hop in path.hops],
    }


def _hop(hop: Hop) -> dict[str, Any]:
    document: dict[str, Any] = {
        "hop": hop.name,
        "stage": hop.stage,
        "site": hop.site.name,
        "state": str(hop.condition.state),
        "message": hop.condition.text,
        "object": hop.subject or None,
        "ageSeconds": None if hop.age is None else int(hop.age),
        "lags": hop.lag,
        "next": None if hop.good else hop.next_step or None,
    }
    if hop.parts:
        document["members"] = [_hop(part) for part in hop.parts]
    return document
