"""Contexts of kubeconfig files: merged as kubectl merges them; error messages contain no credentials."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.config import kubeconfig
from hzlink.config.kubeconfig import Context
from hzlink.model.errors import UsageError

SECRET = "Sw0rdfish-9"


def write(path: Path, contexts: dict[str, str | None], server: str) -> str:
    """A kubeconfig of contexts and their namespaces, all with one cluster `main`."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "main", "cluster": {"server": server}}],
        "contexts": [
            {"name": name, "context": {"cluster": "main", **({"namespace": namespace} if namespace else {})}}
            for name, namespace in contexts.items()
        ],
        "users": [{"name": "me", "user": {"token": SECRET}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_context_has_its_namespace_and_server(tmp_path: Path) -> None:
    file = write(tmp_path / "one", {"core": "hz", "edge": None}, "https://one")
    found = kubeconfig.contexts(file)
    assert [(one.name, one.namespace, one.server) for one in found.values()] == [
        ("core", "hz", "https://one"),
        ("edge", "default", "https://one"),
    ]


def test_first_file_wins_for_equal_names(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "one", {"core": "first"}, "https://one"),
        str(tmp_path / "not there"),
        write(tmp_path / "two", {"core": "second", "edge": "third"}, "https://two"),
    ]
    found = kubeconfig.contexts(None, {"KUBECONFIG": os.pathsep.join(["", *files])})
    assert found["core"].namespace == "first"
    assert (found["edge"].namespace, found["edge"].server) == ("third", "https://one")


def test_given_file_is_not_merged_with_the_variable(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", {"edge": None}, "https://mine")
    other = write(tmp_path / "other", {"core": None}, "https://other")
    assert set(kubeconfig.contexts(mine, {"KUBECONFIG": other})) == {"edge"}


def test_default_is_the_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".kube").mkdir()
    write(tmp_path / ".kube" / "config", {"core": None}, "https://home")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert set(kubeconfig.contexts(None, {})) == {"core"}


def test_missing_given_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no kubeconfig file"):
        kubeconfig.contexts(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "contexts: null\nclusters: null", "contexts:\n- name: core\n  context: null\n", "kind: Config"],
)
def test_empty_or_partial_file_is_accepted(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    assert set(kubeconfig.contexts(str(tmp_path / "file"))) <= {"core"}


@pytest.mark.parametrize(
    "text",
    [
        f"token: {SECRET}\n\tbroken",
        f"users: [{{token: '{SECRET}]",
        f"- {SECRET}",
        SECRET,
        f"contexts: {SECRET}",
        f"contexts: [{SECRET}]",
        f"contexts: {{a: {SECRET}}}",
        f"users: !!timestamp {SECRET}",
        f"users: !!python/object:{SECRET} x",
        f"users: !!int {SECRET}",
        f"? [{SECRET}]\n: x",
        f"token: *{SECRET}",
        f"token: {SECRET}\nexpires: 2026-99-99",
        f"token: {SECRET}\nnumber: 0b_",
    ],
)
def test_invalid_file_is_a_usage_error_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageError, match="the kubeconfig file") as caught:
        kubeconfig.contexts(str(tmp_path / "file"))
    assert SECRET not in repr(caught.value.to_dict())
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_error_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kind: Config\nusers: [\n  {]\n")
    with pytest.raises(UsageError, match=r"file, line 3 is not YAML"):
        kubeconfig.contexts(str(tmp_path / "file"))


NODES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["contexts", "clusters", "users", "name", "context", "cluster", "user", "exec", "server", "namespace"]
            ),
            some,
        )
    ),
)


@given(st.binary(max_size=60) | st.text().map(lambda text: text.encode("utf-8")) | NODES.map(yaml.safe_dump))
@example(b"[" * 500)
@example(b"a: &a [*a]")
@example(b"!!float x")
@example(b'!!int ""')
@example(b"!!bool x")
def test_any_content_is_read_or_is_a_usage_error(content: bytes | str) -> None:
    found: dict[str, Context] = {}
    with tempfile.TemporaryDirectory() as folder, suppress(UsageError):
        (Path(folder) / "config").write_bytes(content.encode() if isinstance(content, str) else content)
        found = kubeconfig.contexts(f"{folder}/config")
    assert all(isinstance(context.namespace, str) and context.namespace for context in found.values())


def test_names_expanded_from_yaml_aliases_are_ignored(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    file = tmp_path / "bomb"
    lines += [
        "contexts: [{name: *a29, context: {namespace: *a29, cluster: c, user: u}}]",
        "clusters: [{name: c, cluster: {server: *a29}}]",
        "users: [{name: u, user: {exec: *a29, token: *a29}}]",
    ]
    file.write_text("\n".join(lines))
    assert [context.namespace for context in kubeconfig.contexts(str(file), {}).values()] == ["default"]


def merged(tmp_path: Path, *documents: dict[str, Any]) -> dict[str, Context]:
    """The contexts of several files, named 0, 1 and so on."""
    files = []
    for number, document in enumerate(documents):
        (tmp_path / str(number)).write_text(yaml.safe_dump(document))
        files.append(str(tmp_path / str(number)))
    return kubeconfig.contexts(None, {"KUBECONFIG": os.pathsep.join(files)})


def kubeadm(context: str, server: str, user: str = "ann", **cluster: str) -> dict[str, Any]:
    """What kubeadm and many others write: entries of the same names in every file."""
    return {
        "clusters": [{"name": "kubernetes", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "admin", "user": {"token": user}}],
        "contexts": [{"name": context, "context": {"cluster": "kubernetes", "user": "admin", "namespace": "hz"}}],
    }


def test_entries_that_an_earlier_file_takes_the_place_of_are_told(tmp_path: Path) -> None:
    found = merged(tmp_path, kubeadm("core", "https://one"), kubeadm("edge", "https://two", "u"))
    assert found["core"].shadowed == ()
    assert found["edge"].server == "https://one"
    assert {(one.kind, one.name, Path(one.ignored_file).name) for one in found["edge"].shadowed} == {
        ("cluster", "kubernetes", "1"),
        ("user", "admin", "1"),
    }


def test_entries_that_are_equal_take_nothing_from_each_other(tmp_path: Path) -> None:
    found = merged(tmp_path, kubeadm("core", "https://one"), kubeadm("edge", "https://one"))
    assert found["edge"].shadowed == ()
    assert (found["edge"].endpoint, found["edge"].access) == (found["core"].endpoint, found["core"].access)


def test_contexts_of_one_name(tmp_path: Path) -> None:
    found = merged(tmp_path, kubeadm("core", "https://one"), kubeadm("core", "https://two"))
    assert [(one.kind, Path(one.ignored_file).name) for one in found["core"].shadowed] == [("context", "1")]


@pytest.mark.parametrize("differs", ["proxy-url", "tls-server-name", "certificate-authority-data"])
def test_the_way_to_a_server_is_more_than_its_address(tmp_path: Path, differs: str) -> None:
    document, other = kubeadm("core", "https://one"), kubeadm("edge", "https://one", **{differs: "x"})
    other["clusters"][0]["name"] = other["contexts"][0]["context"]["cluster"] = "other"
    found = merged(tmp_path, document, other)
    assert found["core"].server == found["edge"].server
    assert found["core"].endpoint != found["edge"].endpoint


def test_relative_paths_count_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in "ab":
        document = kubeadm("core", "https://one", **{"certificate-authority": "ca.crt"})
        (tmp_path / folder / "config").write_text(yaml.safe_dump(document))
    one, other = (kubeconfig.contexts(str(tmp_path / folder / "config"))["core"] for folder in "ab")
    assert one.endpoint != other.endpoint


def test_a_credential_plugin(tmp_path: Path) -> None:
    document = kubeadm("core", "https://one")
    how = {"command": "login", "interactiveMode": "Always", "installHint": "get it\n", "env": [{"value": SECRET}]}
    document["users"][0]["user"] = {"exec": how}
    [context] = merged(tmp_path, document).values()
    plugin = context.plugin
    assert plugin is not None
    assert (plugin.command, plugin.mode, plugin.hint, plugin.user) == ("login", "Always", "get it", "admin")
    assert SECRET not in repr(context)
