"""Renders the paths as a tree on the terminal: topology, client sites, hops, members."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from hzlink.render import hop_text
from hzlink.render.plain import one_line, printable
from hzlink.render.table import below, print_parts
from hzlink.render.wrapping import hanging
from hzlink.report.hops import Hop, Path
from hzlink.report.report import Report

_STAGE, _STATE, _AGE = 19, 7, 6


def tree(report: Report) -> Tree:
    """The tree of the topology. Lines are wrapped at the terminal's width."""
    cluster = report.topology.cluster
    root = Tree(Text(report.topology.name, "bold"), guide_style="dim")
    for path in report.paths:
        where = f"{path.client.name} ({path.client.where}) to {cluster.name} ({cluster.where})"
        branch = root.add(Text(one_line(where), "bold"))
        for place, hop in enumerate(path.hops):
            node = branch.add(_line(hop_text.label(path, place), hop, path.first_broken is hop))
            for part in hop.parts:
                node.add(_line(part.name, part, False))
            _add_command(node, path, place)
    return root


def _add_command(node: Tree, path: Path, place: int) -> None:
    command = path.hops[place].next_step
    if place == path.broken and command:
        node.add(Text("next: ").append(printable(command), "cyan"))


def _line(name: str, hop: Hop, broken: bool) -> Table:
    head = Text(f"{one_line(name):<{_STAGE}} ", "bold red" if broken else "")
    head.append(f"{hop_text.state(hop):<{_STATE}} ", f"not bold {hop_text.colour(hop)}")
    head.append(f"{hop_text.age(hop):>{_AGE}} ", "not bold dim")
    return hanging(head, Text(hop_text.evidence(hop)))


def render(report: Report) -> list[RenderableType]:
    """The tree, with the verdict below it."""
    return [tree(report), *below(report, wide=True)]


def show(console: Console, report: Report) -> None:
    """Prints the tree and the verdict."""
    print_parts(console, render(report))
