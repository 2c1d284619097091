"""Whether two sites are one namespace, by what their clusters say of themselves."""

from __future__ import annotations

import pytest

from hzlink.observe.cluster_identity import Identity, is_same

ROOT, ACCOUNT = "ConfigMap/kube-root-ca.crt", "ServiceAccount/default"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Identity("a"), Identity("a"), True),
        (Identity("a"), Identity("b"), False),
        (Identity("a", {ROOT: "1"}), Identity("", {ROOT: "1"}), True),
        (Identity("", {ROOT: "1", ACCOUNT: "2"}), Identity("", {ACCOUNT: "3"}), False),
        (Identity("", {ROOT: "1"}), Identity("", {ACCOUNT: "1"}), None),
        (Identity("a"), Identity(), None),
        (Identity(), Identity(), None),
    ],
)
def test_two_identities(one: Identity, other: Identity, same: bool | None) -> None:
    assert is_same(one, other) is same
    assert is_same(other, one) is same
