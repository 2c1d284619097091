"""Renders the proofs of `verify` as a table, with the verdict below it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hzlink.render.plain import one_line
from hzlink.verify.latency import Latency
from hzlink.verify.proof import NameProof, Outcome, SiteProof

LABELS = {
    Outcome.OK: "answered",
    Outcome.NO_SERVICE: "no Service",
    Outcome.UNREACHABLE: "no answer",
    Outcome.WRONG_MEMBER: "wrong member",
    Outcome.NO_DATA: "no data",
}


def render(proofs: Sequence[SiteProof]) -> list[RenderableType]:
    """A row for each name at each site, then the verdict."""
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("SITE", "THROUGH SERVICE", "MEMBER"):
        table.add_column(heading, overflow="fold")
    for heading in ("p50 ms", "p99 ms", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for proof in proofs:
        for one in proof.names:
            table.add_row(proof.site.name, one_line(one.name), _member(one), *_numbers(one.latency))
    return [table, Text(), _verdict(proofs)]


def _member(one: NameProof) -> Text:
    text = Text(LABELS[one.outcome], "green" if one.ok else "red")
    if one.answered_by is not None and (not one.ok or one.answered_by.name != one.name):
        text.append(f": {one_line(one.answered_by.address)}", "default")
    return text


def _numbers(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["-", "-", "-"]
    return [f"{latency.p50 * 1000:.1f}", f"{latency.p99 * 1000:.1f}", str(latency.n)]


def _verdict(proofs: Sequence[SiteProof]) -> Text:
    answered = sum(proof.answered for proof in proofs)
    total = sum(len(proof.names) for proof in proofs)
    if all(proof.proven for proof in proofs):
        smart = all(proof.smart for proof in proofs)
        what = (
            f"{answered} of {total} members answered by name"
            if smart
            else "a member answered through Service hazelcast"
        )
        text = Text(" verified: ", "green")
        text.append(f"{what}; written values were read back", "not bold default")
        times = (
            "are from a pod at the site" if all(proof.inside for proof in proofs) else "include kubectl port-forward"
        )
        return text.append(f"\n times {times}", "dim default")
    lead = f"{answered} of {total} names lead to their member"
    if answered == total:
        lead += ", but the members are not the expected ones"
    return Text(" broken: ", "red").append(lead, "default")
