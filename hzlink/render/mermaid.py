"""Draws the paths as a Mermaid flowchart for documents."""

from __future__ import annotations

from hzlink.model.topology import Site
from hzlink.render import words
from hzlink.render.plain import one_line
from hzlink.report.hops import CLUSTER_ROUTER, CONNECTOR, LINK, MEMBERS, Hop, Path
from hzlink.report.report import Report

_CLASSES = (
    "classDef ok fill:#e6f4ea,stroke:#1a7f37,color:#1f2328",
    "classDef waiting fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "classDef lags fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "classDef broken fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "classDef unknown fill:#f3e8fd,stroke:#8250df,color:#1f2328",
    "classDef first stroke-width:4px",
)
_PLAIN = frozenset(" -_./:,()[]")


def draw(report: Report) -> str:
    """The chart: client sites, the links, and the cluster site, which all paths share."""
    lines = ["flowchart LR", *(f"  {line}" for line in _CLASSES)]
    for number, path in enumerate(report.paths):
        places = range(LINK)
        lines += _group(f"client{number}", path.client, [_node(number, place, path) for place in places])
        lines.append(f"  {_node(number, LINK, path)}")
    shared = report.paths[0]
    places = range(CLUSTER_ROUTER, MEMBERS + 1)
    nodes = [_node(0, place, shared) for place in places]
    nodes += [_member(number, part) for number, part in enumerate(shared.hops[MEMBERS].parts)]
    lines += _group("cluster", report.topology.cluster, nodes)
    for number in range(len(report.paths)):
        lines.append("  " + " --> ".join(_id(number, place) for place in range(MEMBERS + 1)))
    lines += [f"  {_id(0, MEMBERS)} --> member{number}" for number in range(len(shared.hops[MEMBERS].parts))]
    firsts = [_id(number, path.broken) for number, path in enumerate(report.paths) if path.broken is not None]
    return "\n".join([*lines, *(f"  class {name} first" for name in dict.fromkeys(firsts))])


def _id(number: int, place: int) -> str:
    """The hop's name in the chart. The cluster site's hops are the same for every path."""
    return f"cluster{place}" if place in (CLUSTER_ROUTER, CONNECTOR, MEMBERS) else f"path{number}hop{place}"


def _node(number: int, place: int, path: Path) -> str:
    hop = path.hops[place]
    return _box(_id(number, place), hop.stage, hop)


def _member(number: int, part: Hop) -> str:
    return _box(f"member{number}", part.name, part)


def _box(name: str, title: str, hop: Hop) -> str:
    state = f"{words.state(hop)} {words.age(hop)}".rstrip()
    return f'{name}["{_escape(title)}<br/>{_escape(state)}"]:::{words.state(hop)}'


def _group(name: str, site: Site, nodes: list[str]) -> list[str]:
    head = f'  subgraph {name}["{_escape(f"{site.name} ({site.where})")}"]'
    return [head, *(f"    {node}" for node in nodes), "  end"]


def _escape(text: str) -> str:
    """Replaces characters that may be part of Mermaid's syntax by character codes."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in one_line(text))
