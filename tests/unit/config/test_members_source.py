"""Which source of settings decides where the members are."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.config import members_source
from hzlink.model.errors import UsageError

FROM = "statefulset/prod"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([{"members": 5}, {}], [{"members": 5}, {}]),
        (
            [{"members_from": FROM}, {"members": 5, "image": "x", "mode": "smart"}],
            [{"members_from": FROM}, {"mode": "smart"}],
        ),
        (
            [{"members_from": FROM}, {"members_from": "sts/old", "members_port": 1}],
            [{"members_from": FROM}, {"members_from": "sts/old"}],
        ),
        ([{"members_from": "none", "members": 5}, {"members_port": 1}], [{"members_from": "none", "members": 5}, {}]),
    ],
)
def test_a_lower_source_does_not_mix_in(sources: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert members_source.without_outranked(sources) == expected


@pytest.mark.parametrize("own", [{"members": 5}, {"image": "hazelcast/hazelcast:5.6.0"}])
@pytest.mark.parametrize("place", [0, 1])
def test_options_of_own_members_are_refused(own: dict[str, Any], place: int) -> None:
    sources: list[dict[str, Any]] = [{}, {"members_from": FROM}]
    sources[place] |= own
    with pytest.raises(UsageError) as caught:
        members_source.without_outranked(sources)
    assert caught.value.next_step


@pytest.mark.parametrize("value", ["", "prod", "pod/x", "selector/"])
def test_other_values_are_usage_errors(value: str) -> None:
    with pytest.raises(UsageError, match="--members-from"):
        members_source.parse(value)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 300])
def test_names_that_no_cluster_has(name: str) -> None:
    with pytest.raises(UsageError):
        members_source.cluster_name(name)
