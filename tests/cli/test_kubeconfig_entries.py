"""Contexts whose entries are in another file than the context, or in none."""

from __future__ import annotations

import yaml

from tests.cli.program import User

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core", "--timeout", "10")


def test_a_context_without_its_cluster_entry_is_refused(user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    config = yaml.safe_load(user.kubeconfig.read_text())
    config["clusters"] = config["clusters"][:1]
    user.kubeconfig.write_text(yaml.safe_dump(config))
    ended = user.hzlink("status", *SITES)
    assert ended.code == 2
    assert 'context edge needs the entry of cluster "edge", which no kubeconfig file has' in ended.err
    assert "kubectl config view --minify --context edge" in ended.err
    assert user.hzlink("render", *SITES).code == 0, "render calls no cluster"


def test_a_user_entry_of_another_file_is_told(user: User) -> None:
    user.has_contexts(edge="http://127.0.0.1:2")
    other = user.folder / "first"
    other.write_text(user.kubeconfig.read_text().replace("s3cret-token", "other-token").replace("edge", "core"))
    other.write_text(other.read_text().replace("127.0.0.1:2", "127.0.0.1:1"))
    ended = user.hzlink("status", *SITES, KUBECONFIG=f"{other}:{user.kubeconfig}")
    text = f'context edge uses the user entry "ann" of {other}, not that of its own file {user.kubeconfig}'
    assert ended.err.count(text) == 1
    assert "token" not in ended.err
