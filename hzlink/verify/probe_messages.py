"""The messages to and from the pod of `verify --in-cluster`: the plan and the verdict as JSON. Pure.

Anyone who may write to the namespace can forge a pod's output. A verdict is rejected if it has an unexpected shape or
size, or other names than the plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Event, Mark
from hzlink.model.topology import Site
from hzlink.verify.latency import Latency
from hzlink.verify.proof import Member, NameProof, Outcome, SiteProof
from hzlink.verify.site_proof import Plan

T = TypeVar("T")

PREFIX = "hzlink-verdict "
"""The prefix of the verdict's line in a pod's log."""

# The maximum lengths of a text and of a list in a proof. There are at most 100 members.
MAX_TEXT = 8000
MAX_ITEMS = 1000
# The maximum of a number.
MAX = 10**9

_ANSWERED = (Outcome.OK, Outcome.WRONG_MEMBER, Outcome.NO_DATA)


@dataclass(frozen=True)
class Verdict:
    """The result of a run in a pod: its proof, or its error; and the events of the run."""

    proof: SiteProof | None
    error: HzlinkError | None
    notes: tuple[Event, ...] = ()


class InvalidMessage(ValueError):
    """The message is not a plan, or not a verdict on this plan."""


def plan_text(plan: Plan) -> str:
    """The plan for the pod as JSON, without context and kubeconfig, which the pod does not have."""
    body = {
        "site": plan.site.name,
        "smart": plan.smart,
        "names": list(plan.names),
        "services": sorted(plan.services),
        "wanted": plan.wanted,
        "clusterName": plan.cluster_name,
        "service": plan.service,
    }
    return json.dumps(body)


def read_plan(text: str) -> Plan:
    """Parses the plan, in the pod.

    Raises:
        InvalidMessage: the text is not a plan.
    """
    body = _object(text)
    site = Site(_text(body.get("site")), Role.CLIENT, context="", namespace="")
    names = tuple(_listed(body.get("names"), _text))
    services = frozenset(_listed(body.get("services"), _text))
    wanted = int(_number(body.get("wanted")))
    smart, cluster_name = body.get("smart") is True, _text(body.get("clusterName"))
    return Plan(site, smart, names, services, wanted, cluster_name, _text(body.get("service")))


def verdict_line(verdict: Verdict) -> str:
    """The line that the pod prints."""
    body: dict[str, Any] = {"notes": [{"mark": str(note.mark), "text": _cut(note.text)} for note in verdict.notes]}
    if verdict.proof is not None:
        body["proof"] = {
            "names": [_name_body(one) for one in verdict.proof.names],
            "members": [_member_body(member) for member in verdict.proof.members],
            "wrong": [_cut(text) for text in verdict.proof.wrong],
        }
    if verdict.error is not None:
        body["error"] = {"message": _cut(verdict.error.message), "said": _cut(verdict.error.said or "")}
    return PREFIX + json.dumps(body)


def read_verdict(plan: Plan, log: str) -> Verdict | None:
    """The verdict on this plan in a pod's log; None if the log has none.

    Raises:
        InvalidMessage: the verdict is not valid.
    """
    lines = [line.removeprefix(PREFIX) for line in log.splitlines() if line.startswith(PREFIX)]
    if not lines:
        return None
    body = _object(lines[-1])
    notes = tuple(_listed(body.get("notes"), lambda one: _note(plan.site, one)))
    if "error" in body:
        fields = _mapping(body["error"])
        error = HzlinkError(_text(fields.get("message")), site=plan.site.name, said=_text(fields.get("said")) or None)
        return Verdict(None, error, notes)
    return Verdict(_proof(plan, _mapping(body.get("proof"))), None, notes)


def _proof(plan: Plan, body: Mapping[str, Any]) -> SiteProof:
    names = tuple(_listed(body.get("names"), _name))
    asked = plan.names if plan.smart else (plan.service,)
    if tuple(one.name for one in names) != asked:
        raise InvalidMessage("it has other names than the plan")
    members = tuple(_listed(body.get("members"), _member))
    return SiteProof(plan.site, plan.smart, names, members, tuple(_listed(body.get("wrong"), _text)), inside=True)


def _name_body(one: NameProof) -> dict[str, Any]:
    who, times = one.answered_by, one.latency
    return {
        "name": one.name,
        "outcome": str(one.outcome),
        "text": _cut(one.text),
        "answeredBy": None if who is None else _member_body(who),
        "latency": None if times is None else [times.n, times.p50, times.p99, times.total],
    }


def _name(value: Any) -> NameProof:
    body = _mapping(value)
    outcome = _one_of(Outcome, body.get("outcome"))
    who = None if body.get("answeredBy") is None else _member(body["answeredBy"])
    if (who is not None) is not (outcome in _ANSWERED):
        raise InvalidMessage(f"outcome {outcome} {'with' if who else 'without'} a member that answered")
    times = None if body.get("latency") is None else _latency(body["latency"])
    return NameProof(_text(body.get("name")), outcome, _text(body.get("text")), who, times)


def _latency(value: Any) -> Latency:
    numbers = _listed(value, _number)
    if len(numbers) != 4 or numbers[0] < 1 or numbers[0] != int(numbers[0]):
        raise InvalidMessage("a latency is not a valid number")
    return Latency(int(numbers[0]), *numbers[1:])


def _member_body(member: Member) -> dict[str, str]:
    return {"uuid": _cut(member.uuid), "address": _cut(member.address)}


def _member(value: Any) -> Member:
    body = _mapping(value)
    return Member(_text(body.get("uuid")), _text(body.get("address")))


def _note(site: Site, value: Any) -> Event:
    body = _mapping(value)
    return Event(_one_of(Mark, body.get("mark")), _text(body.get("text")), site.name)


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidMessage("it is not JSON") from None
    return _mapping(found)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidMessage("a value is not an object")
    return value


def _listed(value: Any, read: Callable[[Any], T]) -> list[T]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MAX_ITEMS:
        raise InvalidMessage("a value is not a list, or too long")
    return [read(one) for one in value]


def _text(value: Any) -> str:
    # JSON may contain lone surrogates, which are not valid text.
    if not isinstance(value, str) or len(value) > MAX_TEXT or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidMessage("a value is not a string, or is too long")
    return value


def _cut(text: str) -> str:
    return text.encode(errors="replace").decode()[:MAX_TEXT]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX:
        raise InvalidMessage("a value is not a number")
    return value


Choice = TypeVar("Choice", Outcome, Mark)


def _one_of(kind: type[Choice], value: Any) -> Choice:
    try:
        return kind(_text(value))
    except ValueError:
        raise InvalidMessage("a value is not known") from None
