"""Reads the types of the Secrets of --pull-secret, with a kubectl that prints a given answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from hzlink.checks import gather
from hzlink.checks.records import Unknown
from hzlink.model.choices import Role
from hzlink.model.topology import Site
from tests.process.programs import Programs

SITE = Site("edge", Role.CLIENT, "edge", "hz")
FORBIDDEN = 'Error from server (Forbidden): secrets "b" is forbidden: User "ann" cannot get resource "secrets"'


def types(programs: Programs, out: str = "", err: str = "", code: int = 0) -> Mapping[str, str | Unknown | None]:
    programs.recorder("kubectl", out=out, err=err, code=code)
    return asyncio.run(gather.read(SITE, 5.0, ("a", "b"))).pull_secrets


def calls(programs: Programs) -> list[list[str]]:
    return [call.argv for call in programs.calls("kubectl") if "secrets" in call.argv]


def test_types_are_read_by_name_without_the_values(programs: Programs) -> None:
    assert types(programs, "a   kubernetes.io/dockerconfigjson\nb   Opaque\n") == {
        "a": "kubernetes.io/dockerconfigjson",
        "b": "Opaque",
    }
    [argv] = calls(programs)
    assert argv[argv.index("secrets") :] == [
        *("secrets", "a", "b", "--output=custom-columns=NAME:.metadata.name,TYPE:.type"),
        *("--no-headers", "--ignore-not-found"),
    ]


def test_secret_that_does_not_exist_has_no_type(programs: Programs) -> None:
    assert types(programs, "b   Opaque\n") == {"a": None, "b": "Opaque"}


@pytest.mark.parametrize(("out", "known"), [("", None), ("a   Opaque\n", "Opaque")], ids=["none", "only one"])
def test_secret_that_may_not_be_read_is_unknown(programs: Programs, out: str, known: str | None) -> None:
    found = types(programs, out, FORBIDDEN, 1)
    assert isinstance(found["b"], Unknown)
    assert "forbidden" in found["b"].said
    assert known in (None, found["a"])


def test_secrets_are_not_read_without_the_option(programs: Programs) -> None:
    programs.recorder("kubectl")
    assert asyncio.run(gather.read(SITE, 5.0)).pull_secrets == {}
    assert calls(programs) == []
