"""hzlink.yaml: its values, and the errors for invalid files."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.config import config_file
from hzlink.config.flags import PLACES, SETTINGS
from hzlink.model.errors import UsageError


def load(folder: Path, text: str | bytes) -> dict[str, object]:
    path = folder / "hzlink.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return config_file.load(path)


def test_every_setting_has_a_key() -> None:
    keys = (*config_file.KEYS.values(), *config_file.MEMBERS_KEYS.values())
    assert sorted(keys) == sorted((*PLACES, *SETTINGS))


def test_values_are_read_as_text(tmp_path: Path) -> None:
    text = "clientContexts: ['arn:aws:eks:eu:1:cluster/a', 123]\nclusterContext: 0777\nmembers: 5\nname: yes\n"
    assert load(tmp_path, text) == {
        "client_ctx": ["arn:aws:eks:eu:1:cluster/a", "123"],
        "cluster_ctx": "0777",
        "members": "5",
        "name": "yes",
    }


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n"])
def test_an_empty_file_sets_nothing(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == {}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: a\ncontxt: b\n", 2, "unknown key contxt"),
        ("name: a\n[b]: c\n", 2, "unknown key"),
        ("name: a\nmembers: three\n", 2, "members must be a number"),
        ("timeout: 3min\n", 1, "timeout must be a duration such as 90s, 3m, 1h30m, 500ms, or plain seconds"),
        ("name:\n", 1, "name must be a single value"),
        ("\nname: [a]\n", 2, "name must be a single value"),
        ("mancenter: maybe\n", 1, "mancenter must be true or false"),
        ("pullSecrets: registry\n", 1, "pullSecrets must be a list"),
        ("clientContexts: edge\n", 1, "clientContexts must be a list"),
        ("clientNamespaces: [[a]]\n", 1, "clientNamespaces must be a list"),
        ("name: a\nname: b\n", 2, "name is set twice"),
        ("- a\n", 1, "not a mapping"),
        ("name: a\n  b: c\n", 2, "not YAML"),
        ("name: 'a\n", 2, "not YAML"),
        ("name: a\n---\nname: b\n", 2, "not YAML"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(UsageError, match=rf"hzlink\.yaml, line {line}: {words}"):
        load(tmp_path, text)


@pytest.mark.parametrize("text", [b"name: \xff\n", b"\x00", b"name: \x07\n"])
def test_binary_content_is_a_usage_error(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(UsageError, match=r"hzlink\.yaml"):
        load(tmp_path, text)


def test_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        config_file.load(tmp_path)


KEYS = st.sampled_from([*config_file.KEYS, "other"])
VALUES = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda some: st.lists(some, max_size=3))


@given(st.text() | st.dictionaries(KEYS, VALUES).map(yaml.safe_dump))
@example("[" * 500)
@example("a: &a [*a]")
@example("name: !!timestamp x")
@example("{" * 500)
@example("name: \ufeff")
def test_any_text_is_read_or_is_a_usage_error(text: str) -> None:
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder, suppress(UsageError):
        found = load(Path(folder), text.encode("utf-8", "surrogatepass"))
    assert set(found) <= set(config_file.KEYS.values())


def test_switch_and_empty_list_are_read(tmp_path: Path) -> None:
    found = load(tmp_path, "mancenter: no\npullSecrets: []\n")
    assert found == {"mancenter": "no", "pull_secret": []}
