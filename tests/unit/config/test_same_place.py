"""Sites that are the same namespace according to their kubeconfig entries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from hzlink.config import resolve, same_place
from hzlink.config.flags import Flags
from hzlink.config.resolve import Config
from hzlink.model.errors import UsageError

Document = dict[str, Any]


def config(*contexts: str, user: str = "admin", cluster: str = "kubernetes", **body: str) -> Document:
    """A kubeconfig of contexts in namespace hz, with one cluster and one user entry."""
    named = {"cluster": cluster, "user": user, "namespace": "hz"}
    return {
        "clusters": [{"name": cluster, "cluster": {"server": "https://one.example", **body}}],
        "users": [{"name": user, "user": {"token": user}}],
        "contexts": [{"name": name, "context": named} for name in contexts],
    }


def both(one: Document, other: Document) -> Document:
    """The entries of both files in one."""
    return {section: one[section] + other[section] for section in one}


def resolved(folder: Path, *documents: Document, **flags: Any) -> Config:
    """The configuration from files named 0, 1 and so on."""
    for number, document in enumerate(documents):
        (folder / str(number)).write_text(yaml.safe_dump(document))
    files = os.pathsep.join(str(folder / str(number)) for number in range(len(documents)))
    chosen = {"client_ctx": ["edge"], "cluster_ctx": "core", **flags}
    return resolve.resolve(Flags.typed(chosen), {"KUBECONFIG": files, "XDG_STATE_HOME": str(folder / "state")})


def refused(folder: Path, *documents: Document, **flags: Any) -> UsageError:
    with pytest.raises(UsageError) as raised:
        resolved(folder, *documents, **flags)
    return raised.value


def test_two_contexts_with_the_same_entries_are_one_site(tmp_path: Path) -> None:
    error = refused(tmp_path, config("core", "edge"))
    assert "two sites are the same namespace: hz of contexts core and edge" in error.message
    assert error.said == 'both contexts use the cluster entry "kubernetes" (server https://one.example)'


@pytest.mark.parametrize("namespace", [None, "other"], ids=["one namespace", "two namespaces"])
def test_entry_name_in_two_files_is_refused_without_a_file_for_each_side(tmp_path: Path, namespace: str | None) -> None:
    flags = {"client_ns": [namespace]} if namespace else {}
    two = config("edge", server="https://two.example")
    error = refused(tmp_path, config("core"), two, **flags)
    assert error.message == (
        'contexts core and edge both use the cluster entry "kubernetes" (server https://one.example)'
    )
    assert error.said.startswith(f"{tmp_path}/1 has another entry of that name") if error.said else False
    assert error.next_step == (
        f"give the file of each side: --client-kubeconfig {tmp_path}/1 --cluster-kubeconfig {tmp_path}/0"
    )
    named = {"client_kubeconfig": f"{tmp_path}/1", "cluster_kubeconfig": f"{tmp_path}/0"}
    found = resolved(tmp_path, config("core"), two, **flags, **named)
    assert [context.server for context in found.contexts.values()] == ["https://one.example", "https://two.example"]


def test_entry_overridden_by_an_earlier_file_is_refused(tmp_path: Path) -> None:
    own = config("core", cluster="core", server="https://core.example")
    error = refused(tmp_path, config("mine"), own, config("edge", server="https://edge.example"))
    assert error.message == 'context edge uses the cluster entry "kubernetes" (server https://one.example)'
    assert f"--client-kubeconfig {tmp_path}/2" in (error.next_step or "")


def test_a_user_entry_of_another_file_is_told(tmp_path: Path) -> None:
    own = config("edge", cluster="edge", server="https://two.example")
    own["users"][0]["user"]["token"] = "another"
    found = resolved(tmp_path, config("core"), own)
    [(site, text)] = same_place.ignored_users(found.contexts).items()
    assert site.name == "edge"
    assert text == (
        f'context edge uses the user entry "admin" of {tmp_path}/0, not that of its own file {tmp_path}/1 '
        f"(which --client-kubeconfig {tmp_path}/1 uses)"
    )
    named = {"client_kubeconfig": f"{tmp_path}/1", "cluster_kubeconfig": f"{tmp_path}/0"}
    assert same_place.ignored_users(resolved(tmp_path, config("core"), own, **named).contexts) == {}


@pytest.mark.parametrize(
    ("named", "entry"),
    [({"user": "gone"}, 'user "gone"'), ({"cluster": "gone"}, 'cluster "gone"'), ({"cluster": ""}, 'cluster ""')],
)
def test_a_context_whose_entry_does_not_exist_is_refused(tmp_path: Path, named: dict[str, str], entry: str) -> None:
    file = both(config("core"), config("edge", cluster="edge", server="https://two.example"))
    file["contexts"][1]["context"].update(named)
    contexts = resolved(tmp_path, file).contexts.values()
    with pytest.raises(UsageError) as raised:
        same_place.refuse_missing(contexts)
    assert raised.value.message == f"context edge needs the entry of {entry}, which no kubeconfig file has"
    assert raised.value.next_step == "kubectl config view --minify --context edge"


def test_a_context_without_a_user_is_accepted(tmp_path: Path) -> None:
    file = both(config("core"), config("edge", cluster="edge", server="https://two.example"))
    del file["contexts"][1]["context"]["user"]
    same_place.refuse_missing(resolved(tmp_path, file).contexts.values())


def test_equal_user_entries_are_not_told(tmp_path: Path) -> None:
    own = config("edge", cluster="edge", server="https://two.example")
    assert same_place.ignored_users(resolved(tmp_path, config("core"), own).contexts) == {}


def test_client_contexts_in_two_files_need_unique_entry_names(tmp_path: Path) -> None:
    files = config("core"), config("edge", server="https://2.example"), config("shop", server="https://3.example")
    error = refused(tmp_path, *files, client_ctx=["edge", "shop"])
    assert "different names" in (error.next_step or "")


def test_context_name_in_two_files_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, config("core"), config("core", server="https://two.example"), client_ctx=["core"])
    assert error.said == f"{tmp_path}/1 has a context of that name, too; kubectl uses the one in {tmp_path}/0"
    assert f"--client-kubeconfig {tmp_path}/1 --cluster-kubeconfig {tmp_path}/0" in (error.next_step or "")


@pytest.mark.parametrize(
    "other",
    [
        {"user": "another"},
        {"cluster": "another", "proxy-url": "http://proxy.example"},
        {"cluster": "another", "tls-server-name": "edge.teleport.example"},
    ],
    ids=["another user", "another proxy", "another name in TLS"],
)
def test_same_address_alone_is_doubtful(tmp_path: Path, other: dict[str, str]) -> None:
    found = resolved(tmp_path, both(config("core"), config("edge", **other)))
    assert [(one.context, other.context) for one, other in found.undecided] == [("core", "edge")]


def test_different_addresses_or_namespaces_are_not_doubtful(tmp_path: Path) -> None:
    two = config("edge", cluster="two", server="https://two.example")
    assert resolved(tmp_path, both(config("core"), two)).undecided == ()
    assert resolved(tmp_path, both(config("core"), config("edge", user="x")), client_ns=["other"]).undecided == ()
