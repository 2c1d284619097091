"""Draws the paths as a Mermaid flowchart for documents."""

from __future__ import annotations

from hzlink.model.topology import Site
from hzlink.render import hop_text
from hzlink.render.plain import one_line
from hzlink.report.hops import CLUSTER_ROUTER, LINK, MEMBERS, Hop, Path
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
    """The chart: client sites, the Links and routers between, and the cluster site, which all paths share."""
    lines = ["flowchart LR", *(f"  {line}" for line in _CLASSES)]
    ids = _ids(report)
    # A Link or a router of several paths is drawn once.
    between: dict[str, None] = {}
    for number, path in enumerate(report.paths):
        places = range(LINK)
        lines += _group(f"client{number}", path.client, [_node(ids, number, place, path) for place in places])
        new = dict.fromkeys(f"  {_node(ids, number, place, path)}" for place in path.between)
        lines += [line for line in new if line not in between]
        between |= new
    shared = report.paths[0]
    members = shared.hops[MEMBERS].parts
    places = range(len(shared.hops) + CLUSTER_ROUTER, len(shared.hops))
    nodes = [_node(ids, 0, place, shared) for place in places]
    nodes += [_member(number, part) for number, part in enumerate(members)]
    lines += _group("cluster", report.topology.cluster, nodes)
    for number, path in enumerate(report.paths):
        lines.append("  " + " --> ".join(ids[number, place] for place in range(len(path.hops))))
    lines += [f"  {ids[0, len(shared.hops) - 1]} --> member{number}" for number in range(len(members))]
    firsts = [ids[number, path.broken] for number, path in enumerate(report.paths) if path.broken is not None]
    return "\n".join([*lines, *(f"  class {name} first" for name in dict.fromkeys(firsts))])


def _ids(report: Report) -> dict[tuple[int, int], str]:
    """The hops' names in the chart, by path and place. Hops of several paths have one name.

    These are the hops of the cluster site, and those of a way over other Sites.
    """
    found: dict[tuple[int, int], str] = {}
    shared: dict[tuple[str, Site, str], str] = {}
    for number, path in enumerate(report.paths):
        for place, hop in enumerate(path.hops):
            name = f"path{number}hop{place}"
            if place >= len(path.hops) + CLUSTER_ROUTER:
                # Counted as on a path with one Link.
                name = f"cluster{place - len(path.hops) + _SHORTEST}"
            elif place in path.between and len(path.between) > 1:
                name = shared.setdefault((hop.stage, hop.site, hop.evidence), name)
            found[number, place] = name
    return found


# The hops of a path with one Link.
_SHORTEST = 7


def _node(ids: dict[tuple[int, int], str], number: int, place: int, path: Path) -> str:
    label = path.label(place).strip("[]")
    return _box(ids[number, place], label, path.hops[place])


def _member(number: int, part: Hop) -> str:
    return _box(f"member{number}", part.name, part)


def _box(name: str, title: str, hop: Hop) -> str:
    state = f"{hop_text.state(hop)} {hop_text.age(hop)}".rstrip()
    return f'{name}["{_escape(title)}<br/>{_escape(state)}"]:::{hop_text.state(hop)}'


def _group(name: str, site: Site, nodes: list[str]) -> list[str]:
    head = f'  subgraph {name}["{_escape(f"{site.name} ({site.where})")}"]'
    return [head, *(f"    {node}" for node in nodes), "  end"]


def _escape(text: str) -> str:
    """Replaces characters that may be part of Mermaid's syntax by character codes."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in one_line(text))
