"""`hzlink member-config`, which needs no configuration and no cluster."""

from __future__ import annotations

import pytest
import yaml

from tests.cli import golden_files
from tests.cli.program import User

CASES = {
    "helm": ("helm", "prod", "-n", "hz"),
    "operator": ("operator", "orders", "-n", "hz", "--operator-namespace", "ops", "--members", "1"),
    "yaml": ("yaml", "prod-hazelcast", "--discovery", "dns", "--hazelcast-cluster", "orders"),
}


@pytest.mark.parametrize("case", CASES)
def test_printed_text_and_hints(case: str, user: User) -> None:
    ended = user.hzlink("member-config", *CASES[case])
    golden_files.check(f"member-config/text/{case}.txt", golden_files.ended(ended.out, ended.err, ended.code))


@pytest.mark.parametrize("case", CASES)
def test_quiet_prints_only_the_text(case: str, user: User) -> None:
    ended = user.hzlink("member-config", *CASES[case], "-q")
    assert (ended.code, ended.err) == (0, "")
    assert list(yaml.safe_load_all(ended.out))


def test_document_has_text_and_hints(user: User) -> None:
    ended = user.hzlink("member-config", *CASES["helm"], "-o", "json", "-q")
    golden_files.check("member-config/json/helm.json", ended.out)
    printed = user.hzlink("member-config", *CASES["helm"], "-q").out
    assert ended.document["memberConfig"] == {"target": "helm", "text": printed}
    assert ended.document["notes"][-1].startswith("helm upgrade prod ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("helm", "Prod"), "'Prod' is not a name"),
        (("helm", "x" * 61), "at most 60 characters"),
        (("yaml", "-n", "a b"), "--namespace 'a b' is not a namespace's name"),
        (("operator", "--discovery", "dns"), "--discovery is not for the operator"),
        (("helm", "--members", "3"), "--members is only for `hzlink member-config operator`"),
        (("yaml", "--operator-namespace", "ops"), "--operator-namespace is only for"),
        (("operator", "--operator-namespace", "ops"), "next: add --namespace NAMESPACE"),
        (("yaml", "--hazelcast-cluster", " "), "--hazelcast-cluster is empty"),
        (("chart",), "chart"),
    ],
)
def test_wrong_usage(args: tuple[str, ...], said: str, user: User) -> None:
    ended = user.hzlink("member-config", *args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
