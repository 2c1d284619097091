"""Judges which members answered through a client site's names, and which ones should. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hzlink.model.topology import Site
from hzlink.verify import latency
from hzlink.verify.latency import Latency

PORT = 5701
"""The members' port for clients, and the port of the members' Services."""


@dataclass(frozen=True)
class Member:
    """A Hazelcast member: its UUID, and the address that it advertises to clients (host:port)."""

    uuid: str
    address: str

    @property
    def name(self) -> str:
        """The host that it advertises to clients."""
        return self.address.rpartition(":")[0]


@dataclass(frozen=True)
class Answer:
    """The member that answered, and its member list."""

    member: Member
    members: tuple[Member, ...]


class Outcome(StrEnum):
    """The outcome of calling a member by a name."""

    OK = "ok"
    NO_SERVICE = "no service"
    UNREACHABLE = "unreachable"
    WRONG_MEMBER = "wrong member"
    NO_DATA = "no data"


@dataclass(frozen=True)
class Call:
    """A call to a member through the Service of that name. `problem`: why no member answered.

    `data_problem`: why puts and gets failed, if a member answered.
    """

    name: str
    service: bool = True
    answer: Answer | None = None
    problem: str = ""
    data_problem: str = ""
    latency: Latency | None = None


@dataclass(frozen=True)
class NameProof:
    """The result for a name. `text`: the reason if the name does not lead to its member."""

    name: str
    outcome: Outcome
    text: str = ""
    answered_by: Member | None = None
    latency: Latency | None = None

    @property
    def ok(self) -> bool:
        """Whether the right member answered and stored data."""
        return self.outcome is Outcome.OK


@dataclass(frozen=True)
class SiteProof:
    """The proof for a client site. `wrong`: errors of the member list.

    `inside`: a pod of the site made the calls, not hzlink through forwarded ports.
    """

    site: Site
    smart: bool
    names: tuple[NameProof, ...]
    members: tuple[Member, ...] = ()
    wrong: tuple[str, ...] = ()
    inside: bool = False

    @property
    def proven(self) -> bool:
        """Whether every name leads to its member, with data, and the members are those expected."""
        return bool(self.names) and all(one.ok for one in self.names) and not self.wrong

    @property
    def answered(self) -> int:
        """How many names led to their member."""
        return sum(one.ok for one in self.names)


def judge(site: Site, expected: Sequence[str], calls: Sequence[Call]) -> SiteProof:
    """Judges smart mode: a connection through Service NAME must reach the member that advertises NAME to clients."""
    answers = [call.answer for call in calls if call.answer is not None]
    members = _all_members(answers)
    findings = tuple(_judge(call, members) for call in calls)
    wrong = (*_not_expected(expected, members), *_disagreement(answers)) if answers else ()
    return SiteProof(site, True, findings, members, wrong)


def judge_unisocket(site: Site, wanted: int, call: Call) -> SiteProof:
    """Judges unisocket mode: the member that answers through the Service must see the expected number of members."""
    if call.answer is None:
        return SiteProof(site, False, (_unanswered(call),))
    members = call.answer.members
    wrong = () if len(members) == wanted else (f"{len(members)} members found, {wanted} expected",)
    if call.answer.member.uuid not in {member.uuid for member in members}:
        wrong = (*wrong, f"{call.answer.member.address}, which answered, is not one of them")
    return SiteProof(site, False, (_answered(call, call.answer.member),), members, wrong)


def _judge(call: Call, members: Sequence[Member]) -> NameProof:
    if call.answer is None:
        return _unanswered(call)
    right = {member.uuid for member in members if member.address == f"{call.name}:{PORT}"}
    who = call.answer.member
    # Both the member itself and the member lists must have this name for it.
    if right == {who.uuid} and who.name == call.name:
        return _answered(call, who)
    known = next((member for member in members if member.uuid == who.uuid), who)
    text = f"Service {call.name} leads to {known.name} (member {known.uuid})"
    if not right:
        text += f"; no member advertises {call.name}:{PORT}"
    elif len(right) > 1:
        text += f"; {len(right)} members advertise {call.name}:{PORT}"
    return NameProof(call.name, Outcome.WRONG_MEMBER, text, who, call.latency)


def _answered(call: Call, who: Member) -> NameProof:
    outcome = Outcome.NO_DATA if call.data_problem else Outcome.OK
    return NameProof(call.name, outcome, call.data_problem, who, call.latency)


def _unanswered(call: Call) -> NameProof:
    if not call.service:
        return NameProof(call.name, Outcome.NO_SERVICE, call.problem or f"there is no Service {call.name}")
    return NameProof(call.name, Outcome.UNREACHABLE, call.problem or f"no member answers through Service {call.name}")


def _all_members(answers: Iterable[Answer]) -> tuple[Member, ...]:
    found = {(member.address, member.uuid): member for answer in answers for member in answer.members}
    return tuple(found[key] for key in sorted(found))


def _not_expected(expected: Sequence[str], members: Sequence[Member]) -> list[str]:
    wanted = {f"{name}:{PORT}": name for name in expected}
    found = {member.address for member in members}
    missing = [name for address, name in wanted.items() if address not in found]
    extra = [address for address in sorted(found) if address not in wanted]
    wrong = [f"not in the member list: {', '.join(missing)}"] if missing else []
    return [*wrong, f"unexpected in the member list: {', '.join(extra)}"] if extra else wrong


def _disagreement(answers: Sequence[Answer]) -> list[str]:
    """Members with different member lists, which are separate clusters behind the same names."""
    views: dict[frozenset[Member], list[str]] = {}
    for answer in answers:
        views.setdefault(frozenset(answer.members), []).append(answer.member.name)
    if len(views) < 2:
        return []
    sides = " | ".join(f"{', '.join(sorted(set(names)))} see {len(view)}" for view, names in views.items())
    return [f"the members disagree on the member list: {sides}"]


def to_dict(proof: SiteProof) -> dict[str, Any]:
    """One site's part of the document of `-o json` and `-o yaml`."""
    return {
        "name": proof.site.name,
        "proven": proof.proven,
        "mode": "smart" if proof.smart else "unisocket",
        "inCluster": proof.inside,
        "names": [
            {
                "service": one.name,
                "outcome": str(one.outcome),
                "message": one.text,
                "answeredBy": None
                if one.answered_by is None
                else {"address": one.answered_by.address, "uuid": one.answered_by.uuid},
                "latency": latency.to_dict(one.latency),
            }
            for one in proof.names
        ],
        "members": [{"address": member.address, "uuid": member.uuid} for member in proof.members],
        "wrong": list(proof.wrong),
    }
