"""The members that answered compared with those expected."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hzlink.verify import proof
from hzlink.verify.proof import Answer, Call, Member, Outcome, SiteProof
from tests.unit.builders import EDGE

NAMES = tuple(f"hazelcast-{number}" for number in range(3))


def members(count: int = 3) -> tuple[Member, ...]:
    return tuple(Member(f"uuid-{number}", f"hazelcast-{number}:5701") for number in range(count))


def answered(name: str, number: int, among: tuple[Member, ...] = members()) -> Call:
    """Member `number` answered through Service `name`."""
    return Call(name, answer=Answer(among[number], among))


def judged(*calls: Call) -> SiteProof:
    return proof.judge(EDGE, [call.name for call in calls], calls)


def outcomes(found: SiteProof) -> list[str]:
    return [str(one.outcome) for one in found.names]


def test_every_name_answered_by_its_member_is_proven() -> None:
    found = judged(*(answered(name, number) for number, name in enumerate(NAMES)))
    assert found.proven
    assert (found.answered, found.wrong, outcomes(found)) == (3, (), ["ok"] * 3)
    assert [one.answered_by for one in found.names] == list(members())


def test_swapped_services_are_wrong() -> None:
    found = judged(answered("hazelcast-0", 0), answered("hazelcast-1", 2), answered("hazelcast-2", 1))
    assert not found.proven
    assert outcomes(found) == ["ok", "wrong member", "wrong member"]
    assert found.names[1].text == "Service hazelcast-1 leads to hazelcast-2 (member uuid-2)"
    assert found.names[2].text == "Service hazelcast-2 leads to hazelcast-1 (member uuid-1)"
    assert found.wrong == ()


@given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_names_answered_by_another_member_are_wrong(leads: list[int]) -> None:
    names = [f"hazelcast-{number}" for number in range(6)]
    found = judged(*(answered(name, to, members(6)) for name, to in zip(names, leads, strict=True)))
    assert [one.ok for one in found.names] == [number == to for number, to in enumerate(leads)]
    assert found.proven == (leads == list(range(6)))
    for one, to in zip(found.names, leads, strict=True):
        assert one.ok or f"leads to hazelcast-{to} " in one.text


@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_names_without_an_answer_are_named(silent: set[int], without_service: set[int]) -> None:
    calls = []
    for number in range(5):
        name = f"hazelcast-{number}"
        if number in without_service:
            calls.append(Call(name, service=False))
        else:
            calls.append(Call(name) if number in silent else answered(name, number, members(5)))
    found = judged(*calls)
    assert {number for number, one in enumerate(found.names) if not one.ok} == silent | without_service
    assert all(one.name in one.text for one in found.names if not one.ok)
    assert found.answered == 5 - len(silent | without_service)


def test_message_of_kubectl_is_kept() -> None:
    [one] = judged(Call("hazelcast-0", problem="no member answered: connection refused")).names
    assert (one.outcome, one.text) == (Outcome.UNREACHABLE, "no member answered: connection refused")


def test_member_that_loses_data_is_not_proven() -> None:
    call = replace(answered("hazelcast-0", 0, members(1)), data_problem="a value was not there afterwards")
    found = judged(call)
    assert outcomes(found) == ["no data"]
    assert not found.proven


def test_members_that_advertise_addresses_are_wrong() -> None:
    """As with the unisocket manifests: a smart client at another site cannot use pod addresses."""
    among = (Member("u0", "10.0.0.1:5701"), Member("u1", "10.0.0.2:5701"))
    found = judged(answered("hazelcast-0", 0, among), answered("hazelcast-1", 1, among))
    assert outcomes(found) == ["wrong member"] * 2
    assert "no member advertises hazelcast-0:5701" in found.names[0].text
    assert found.wrong == (
        "not in the member list: hazelcast-0, hazelcast-1",
        "unexpected in the member list: 10.0.0.1:5701, 10.0.0.2:5701",
    )


def test_two_members_that_advertise_one_name_are_wrong() -> None:
    among = (Member("u0", "hazelcast-0:5701"), Member("u1", "hazelcast-0:5701"))
    [one] = judged(answered("hazelcast-0", 0, among)).names
    assert one.outcome is Outcome.WRONG_MEMBER
    assert "2 members advertise hazelcast-0:5701" in one.text


def test_member_that_answers_for_two_names_is_right_once() -> None:
    found = judged(answered("hazelcast-0", 0, members(2)), answered("hazelcast-1", 0, members(2)))
    assert outcomes(found) == ["ok", "wrong member"]


def test_missing_and_additional_members_are_reported() -> None:
    two = members(2)
    found = proof.judge(EDGE, NAMES, [answered(name, number, two) for number, name in enumerate(NAMES[:2])])
    assert found.wrong == ("not in the member list: hazelcast-2",)

    found = proof.judge(EDGE, NAMES, [answered(name, number, members(4)) for number, name in enumerate(NAMES)])
    assert found.wrong == ("unexpected in the member list: hazelcast-3:5701",)
    assert not found.proven


def test_different_member_lists_are_reported() -> None:
    three = members()
    calls = [
        Call("hazelcast-0", answer=Answer(three[0], three[:2])),
        Call("hazelcast-1", answer=Answer(three[1], three[:2])),
        Call("hazelcast-2", answer=Answer(three[2], three[2:])),
    ]
    found = judged(*calls)
    assert outcomes(found) == ["ok"] * 3
    assert found.wrong == (
        "the members disagree on the member list: hazelcast-0, hazelcast-1 see 2 | hazelcast-2 see 1",
    )
    assert not found.proven


def test_no_answer_is_not_proven() -> None:
    found = judged(*map(Call, NAMES))
    assert (found.answered, found.proven, found.members, found.wrong) == (0, False, (), ())


def test_unisocket_proof_has_one_answer_and_the_number_of_members() -> None:
    among = tuple(Member(f"u{number}", f"10.0.0.{number}:5701") for number in range(3))
    found = proof.judge_unisocket(EDGE, 3, answered("hazelcast", 1, among))
    assert found.proven
    assert found.names[0].answered_by == among[1]

    assert proof.judge_unisocket(EDGE, 4, answered("hazelcast", 1, among)).wrong == ("3 members found, 4 expected",)
    assert not proof.judge_unisocket(EDGE, 3, Call("hazelcast", service=False)).proven
    stranger = Call("hazelcast", answer=Answer(Member("ux", "10.0.0.9:5701"), among))
    assert "is not one of them" in proof.judge_unisocket(EDGE, 3, stranger).wrong[0]


def test_document_names_the_member_that_answered() -> None:
    document = proof.to_dict(judged(answered("hazelcast-0", 0, members(1)), Call("hazelcast-1", service=False)))
    assert document["proven"] is False
    assert document["names"][0]["answeredBy"] == {"address": "hazelcast-0:5701", "uuid": "uuid-0"}
    assert (document["names"][1]["outcome"], document["names"][1]["answeredBy"]) == ("no service", None)


def test_order_of_calls_does_not_matter() -> None:
    calls = [answered("hazelcast-0", 0), answered("hazelcast-1", 2), Call("hazelcast-2")]
    seen = {
        frozenset((one.name, one.outcome) for one in proof.judge(EDGE, NAMES, order).names)
        for order in itertools.permutations(calls)
    }
    assert len(seen) == 1
