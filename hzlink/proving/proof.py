"""Who answers through a client site's names, against who should; and what a former proof is still worth. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hzlink import hops
from hzlink.durations import ago
from hzlink.proving import latency
from hzlink.proving.latency import Latency
from hzlink.topology import Site

if TYPE_CHECKING:
    from hzlink.report import Report

PORT = 5701
"""Where members take clients, and the port of every Service that leads to one."""


@dataclass(frozen=True)
class Member:
    """A member as Hazelcast knows it: its UUID, and the address that it tells clients (host:port)."""

    uuid: str
    address: str

    @property
    def name(self) -> str:
        """The name that it tells clients."""
        return self.address.rpartition(":")[0]


@dataclass(frozen=True)
class Answer:
    """Who answered, and who the members are in its eyes."""

    member: Member
    members: tuple[Member, ...]


class Outcome(StrEnum):
    """What came of calling a member by a name."""

    OK = "ok"
    NO_SERVICE = "no service"
    UNREACHABLE = "unreachable"
    WRONG_MEMBER = "wrong member"
    NO_DATA = "no data"


@dataclass(frozen=True)
class Call:
    """A try to reach a member through the Service of that name. `trouble` says how far it came, where nobody answered.

    `data_trouble` is what went wrong with puts and gets of one who did.
    """

    name: str
    service: bool = True
    answer: Answer | None = None
    trouble: str = ""
    data_trouble: str = ""
    latency: Latency | None = None


@dataclass(frozen=True)
class Finding:
    """What a call proves: of a name, in words where it is not as it should be."""

    name: str
    outcome: Outcome
    text: str = ""
    answered_by: Member | None = None
    latency: Latency | None = None

    @property
    def ok(self) -> bool:
        """Whether the right member answered and kept data."""
        return self.outcome is Outcome.OK


@dataclass(frozen=True)
class SiteProof:
    """What was found at one client site. `wrong` is said of the member list as a whole.

    `inside` tells that a pod of the site called, and not hzlink itself through forwarded ports.
    """

    site: Site
    smart: bool
    findings: tuple[Finding, ...]
    members: tuple[Member, ...] = ()
    wrong: tuple[str, ...] = ()
    inside: bool = False

    @property
    def proven(self) -> bool:
        """Whether every name leads to its member, with data, and the members are those expected."""
        return bool(self.findings) and all(finding.ok for finding in self.findings) and not self.wrong

    @property
    def answered(self) -> int:
        """How many names led to their member."""
        return sum(finding.ok for finding in self.findings)


def judge(site: Site, expected: Sequence[str], calls: Sequence[Call]) -> SiteProof:
    """A smart topology: a connection through Service NAME must end at the member that tells clients NAME."""
    answers = [call.answer for call in calls if call.answer is not None]
    members = _everybody(answers)
    findings = tuple(_judge(call, members) for call in calls)
    wrong = (*_not_expected(expected, members), *_disagreement(answers)) if answers else ()
    return SiteProof(site, True, findings, members, wrong)


def judge_unisocket(site: Site, wanted: int, call: Call) -> SiteProof:
    """A unisocket topology: whoever answers through the one Service, it must see as many members as there should be."""
    if call.answer is None:
        return SiteProof(site, False, (_unanswered(call),))
    members = call.answer.members
    wrong = () if len(members) == wanted else (f"{len(members)} members are there, {wanted} should be",)
    if call.answer.member.uuid not in {member.uuid for member in members}:
        wrong = (*wrong, f"{call.answer.member.address}, which answered, is not one of them")
    return SiteProof(site, False, (_answered(call, call.answer.member),), members, wrong)


def _judge(call: Call, members: Sequence[Member]) -> Finding:
    if call.answer is None:
        return _unanswered(call)
    right = {member.uuid for member in members if member.address == f"{call.name}:{PORT}"}
    who = call.answer.member
    # What the member says of itself and what the others know of it must both be this name.
    if right == {who.uuid} and who.name == call.name:
        return _answered(call, who)
    known = next((member for member in members if member.uuid == who.uuid), who)
    text = f"Service {call.name} leads to {known.name} (member {known.uuid})"
    if not right:
        text += f"; no member tells clients {call.name}:{PORT}"
    elif len(right) > 1:
        text += f"; {len(right)} members tell clients {call.name}:{PORT}"
    return Finding(call.name, Outcome.WRONG_MEMBER, text, who, call.latency)


def _answered(call: Call, who: Member) -> Finding:
    outcome = Outcome.NO_DATA if call.data_trouble else Outcome.OK
    return Finding(call.name, outcome, call.data_trouble, who, call.latency)


def _unanswered(call: Call) -> Finding:
    if not call.service:
        return Finding(call.name, Outcome.NO_SERVICE, call.trouble or f"there is no Service {call.name}")
    return Finding(call.name, Outcome.UNREACHABLE, call.trouble or f"no member answers through Service {call.name}")


def _everybody(answers: Iterable[Answer]) -> tuple[Member, ...]:
    found = {(member.address, member.uuid): member for answer in answers for member in answer.members}
    return tuple(found[key] for key in sorted(found))


def _not_expected(expected: Sequence[str], members: Sequence[Member]) -> list[str]:
    wanted = {f"{name}:{PORT}": name for name in expected}
    there = {member.address for member in members}
    missing = [name for address, name in wanted.items() if address not in there]
    extra = [address for address in sorted(there) if address not in wanted]
    wrong = [f"not in the member list: {', '.join(missing)}"] if missing else []
    return [*wrong, f"in the member list and not expected: {', '.join(extra)}"] if extra else wrong


def _disagreement(answers: Sequence[Answer]) -> list[str]:
    """Members that do not see each other have split: two clusters behind one set of names."""
    views: dict[frozenset[Member], list[str]] = {}
    for answer in answers:
        views.setdefault(frozenset(answer.members), []).append(answer.member.name)
    if len(views) < 2:
        return []
    sides = " | ".join(f"{', '.join(sorted(set(names)))} see {len(view)}" for view, names in views.items())
    return [f"the members disagree on who is a member: {sides}"]


def to_dict(proof: SiteProof) -> dict[str, Any]:
    """One site's part of the document of `-o json` and `-o yaml`."""
    return {
        "name": proof.site.name,
        "proven": proof.proven,
        "mode": "smart" if proof.smart else "unisocket",
        "inCluster": proof.inside,
        "names": [
            {
                "service": finding.name,
                "outcome": str(finding.outcome),
                "message": finding.text,
                "answeredBy": None
                if finding.answered_by is None
                else {"address": finding.answered_by.address, "uuid": finding.answered_by.uuid},
                "latency": latency.to_dict(finding.latency),
            }
            for finding in proof.findings
        ],
        "members": [{"address": member.address, "uuid": member.uuid} for member in proof.members],
        "wrong": list(proof.wrong),
    }


# Seconds for which a proof by traffic outranks what conditions say.
FRESH = 300.0


@dataclass(frozen=True)
class Record:
    """A verdict as it is kept: when (seconds since 1970), and for each client site how many names answered of how many.

    `failed` are the names that did not, as site/name.
    """

    at: float
    sites: Mapping[str, tuple[int, int]]
    proven: bool
    failed: tuple[str, ...] = field(default=())


def record(proofs: Sequence[SiteProof], at: float) -> Record:
    """What is kept of a verdict: names and times only."""
    sites = {proof.site.name: (proof.answered, len(proof.findings)) for proof in proofs}
    failed = [f"{proof.site.name}/{finding.name}" for proof in proofs for finding in proof.findings if not finding.ok]
    return Record(at, sites, all(proof.proven for proof in proofs), tuple(failed))


def record_to_dict(kept: Record) -> dict[str, Any]:
    """As it goes into a file."""
    sites = {name: list(counts) for name, counts in kept.sites.items()}
    return {"at": kept.at, "proven": kept.proven, "sites": sites, "failed": list(kept.failed)}


def record_from_dict(found: Any) -> Record | None:
    """From a file; None for what is no such record."""
    try:
        sites = {str(name): (int(answered), int(of)) for name, (answered, of) in found["sites"].items()}
        failed = tuple(str(name) for name in found["failed"])
        at = float(found["at"])
        return Record(at, sites, found["proven"] is True, failed) if math.isfinite(at) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


@dataclass(frozen=True)
class Standing:
    """A kept verdict and its age in seconds."""

    record: Record
    age: float

    @property
    def fresh(self) -> bool:
        """Whether it outranks conditions. One from the future is from before the clock was set: it does not."""
        return 0 <= self.age <= FRESH

    @property
    def line(self) -> str:
        """The one line that `status` says of it."""
        counts = list(self.record.sites.items())
        where = [f"{name}: " if len(counts) > 1 else "" for name, _ in counts]
        said = "; ".join(
            f"{site}{answered} of {of} {'member' if of == 1 else 'members'} answered"
            for site, (_, (answered, of)) in zip(where, counts, strict=True)
        )
        if self.record.proven:
            return f"verified {ago(self.age)}: {said}"
        failed = [name if len(counts) > 1 else name.rpartition("/")[2] for name in self.record.failed]
        named = f" (not {', '.join(failed)})" if failed else ""
        return f"verification failed {ago(self.age)}: {said}{named}"


def standing_to_dict(proof: Standing) -> dict[str, Any]:
    """For `-o json`: the verdict, its age in seconds, and the line."""
    return {"proven": proof.record.proven, "ageSeconds": round(proof.age, 1), "message": proof.line}


def standing(kept: Record | None, now: float) -> Standing | None:
    """The verdict at a moment (seconds since 1970)."""
    return None if kept is None else Standing(kept, now - kept.at)


def outrank(report: Report, proof: Standing | None) -> Report:
    """The report, with a fresh proof put before a Listener that only waits: traffic flowed, whatever it says.

    What is broken or absent stays blamed, and so does what a proof says nothing of, such as pods.
    """
    if report.blamed is None or proof is None or not (proof.fresh and proof.record.proven):
        return report
    paths = tuple(hops.proved(path) for path in report.paths)
    notes = [
        f"{hop.site.name}: Skupper still says of the {hop.name}: {hop.text}; traffic flowed all the same"
        for path, flowed in zip(report.paths, paths, strict=True)
        if (hop := path.first_broken) is not None and flowed.first_broken is None
    ]
    return dataclasses.replace(
        report, paths=paths, blamed=hops.first(paths), warnings=(*report.warnings, *dict.fromkeys(notes))
    )
