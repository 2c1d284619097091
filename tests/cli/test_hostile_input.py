"""Malicious or mistaken input: one error, and no control characters in the output."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.cli.assertions import document_of, is_clean
from tests.cli.program import User

NAMES = (
    "two words",
    'it\'s "quoted"',
    "two\nlines",
    "-n",
    "--all",
    "$(touch injected)",
    "`touch injected`",
    "; touch injected",
    "\x1b[31mred\x07",
    "arn:aws:eks:eu-central-1:123456789012:cluster/Prod_West",
    "Grüße-\u202e\u2028",
)


@pytest.mark.parametrize("name", NAMES)
def test_any_context_name_is_accepted(name: str, user: User) -> None:
    user.has_contexts(**{"core": "http://127.0.0.1:1", name: "http://127.0.0.1:2"})
    ended = user.hzlink("status", f"--client-ctx={name}", "--cluster-ctx=core", "-o", "json", "--timeout=20")
    is_clean(ended)
    assert ended.code == 3
    assert [site["context"] for site in ended.document["sites"]] == ["core", name]
    assert not list(user.cwd.iterdir())
    is_clean(user.hzlink("up", f"--client-ctx={name}", "--cluster-ctx=core", "--timeout=20", "-v"))


@pytest.mark.parametrize("name", NAMES)
def test_invalid_namespace_file_and_image_names_are_refused(name: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    sites = ("--client-ctx=edge", "--cluster-ctx=core")
    for wrong in (f"--namespace={name}", f"--file={name}", f"--kubeconfig={name}", f"--image={name}\t"):
        ended = user.hzlink("up", *sites, wrong)
        is_clean(ended)
        assert ended.code == 2
        assert ended.err.startswith("error: ")
    assert not list(user.cwd.iterdir())


@pytest.mark.parametrize("name", ["a\0b"])
def test_context_name_with_a_null_byte_is_refused(name: str, user: User) -> None:
    entry = {"context": {"cluster": "c"}}
    user.kubeconfig.write_text(json.dumps({"contexts": [{"name": name, **entry}, {"name": "core", **entry}]}))
    (user.cwd / "hzlink.yaml").write_text(json.dumps({"clientContexts": [name], "clusterContext": "core"}))
    document_of(user.hzlink("status", "-o", "json", LC_ALL="C"), 2, "is not a context's name")


@pytest.mark.parametrize("locale", ["C", "POSIX"])
@pytest.mark.parametrize("encoding", ["", "ascii"])
def test_names_outside_the_locales_encoding_are_printed(locale: str, encoding: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", Grüße="http://127.0.0.1:2")
    args = ("status", "--client-ctx=Grüße", "--cluster-ctx=core", "--timeout=20")
    for output in ("table", "json"):
        ended = user.hzlink(*args, "-o", output, LANG=locale, LC_ALL=locale, PYTHONIOENCODING=encoding)
        assert ended.code == 3
        assert "Traceback" not in ended.err
        assert "internal error in hzlink" not in ended.err
        assert "core" in ended.out


REFUSALS = (
    (("status", "--no-such-option"), "Status", "No such option: --no-such-option"),
    (("up", "--mode", "clever"), "Up", "'clever' is not one of"),
    (("bench", "--seconds=soon"), "Bench", "'soon' is not a valid float"),
    (("link", "superfluous"), "Link", "superfluous"),
    (("stats",), "Hzlink", "No such command 'stats'"),
)


@pytest.mark.parametrize(("args", "kind", "says"), REFUSALS)
@pytest.mark.parametrize("spelled", [("-o", "json"), ("-ojson",), ("--output=json",), ("--output", "json")])
def test_invalid_arguments_are_reported_as_json(
    args: tuple[str, ...], kind: str, says: str, spelled: tuple[str, ...], user: User
) -> None:
    assert document_of(user.hzlink(*args, *spelled), 2, says)["kind"] == kind


def test_invalid_arguments_are_reported_as_yaml(user: User) -> None:
    ended = user.hzlink("status", "--no-such-option", "-o", "yaml")
    assert (ended.code, yaml.safe_load(ended.out)["exitCode"]) == (2, 2)
