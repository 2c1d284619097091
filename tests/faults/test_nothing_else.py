"""The whole life of a topology: foreign objects do not change, no secret is printed, no token is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.api import kinds
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults import bystanders
from tests.faults.execution import Rig
from tests.faults.secrets_found import found_in, secrets_in
from tests.faults.world import World, files_of, tokens_left
from tests.sandbox.conftest import Ran
from tests.sandboxed import Namespaces


@pytest.fixture
def world(rig: Rig, namespaces: Namespaces) -> Iterator[World]:
    """A world with foreign objects of every kind."""
    namespace = namespaces.make("none")
    made = World(rig.sandbox, rig.faults, namespace, rig.folder / namespace)
    bystanders.plant(made)
    yield made
    made.close()


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_commands_change_no_foreign_object_and_print_no_secret(world: World, rig: Rig, via: str) -> None:
    before = bystanders.content(world)
    texts: dict[str, str] = {}
    for command in (
        ("up", "--via", via, "-o", "json"),
        ("up", "--via", via),
        ("status", "-o", "yaml"),
        ("link", "--via", via),
        ("down", "--yes"),
    ):
        if command[0] == "link":
            world.delete("client", skupper_kinds.LINKS, "hazelcast-cluster")
        ran = world.hzlink(*command, "-vv")
        assert ran.code == 0, ran.err
        # Grant and token are removed as soon as the sites are linked.
        assert tokens_left(world) == []
        texts |= {**_texts(" ".join(command), ran), **files_of(world)}

    codes = rig.seen.codes(world.namespace)
    assert len(codes) >= 2, "the watches saw the codes of both tokens"
    secrets = rig.seen.of(world.namespace)
    assert codes <= secrets
    told = found_in(texts, secrets)
    changed = bystanders.changed(before, bystanders.content(world))
    rig.tally.searched += len(texts)
    rig.tally.secrets += told
    rig.tally.compared += len(before)
    rig.tally.changed += changed
    assert told == []
    assert changed == []


def _texts(name: str, ran: Ran) -> dict[str, str]:
    return {f"{name}: standard output": ran.out, f"{name}: standard error": ran.err}


def test_object_that_cannot_be_removed_is_named(world: World) -> None:
    """A foreign finalizer keeps one of hzlink's objects, so it still exists at the end of `down`."""
    world.up()
    held = {"metadata": {"finalizers": ["example.org/keep"]}}
    world.patch("client", kinds.CONFIG_MAPS, "hazelcast-mancenter-config", held)
    before = bystanders.content(world)

    ran = world.hzlink("down", "--yes", "--timeout", "30", "-o", "json")

    world.patch("client", kinds.CONFIG_MAPS, "hazelcast-mancenter-config", {"metadata": {"finalizers": None}})
    assert ran.code in (1, 4)
    told = " ".join(error["message"] for error in ran.document["errors"])
    assert "not removed: client: configmaps/hazelcast-mancenter-config" in told
    assert bystanders.changed(before, bystanders.content(world)) == []


def test_site_is_removed_when_the_other_cluster_is_gone(world: World) -> None:
    # Without the objects of another topology at the client site: it would get the Skupper Site.
    bystanders.remove_other_topology(world, "client")
    relay = world.relay("cluster")
    world.up()
    before = bystanders.content(world)
    relay.close()

    ran = world.hzlink("down", "--yes", "-o", "json")
    assert ran.code == 3
    assert "hzlink down --site client" in ran.document["errors"][0]["next"]

    ran = world.hzlink("down", "--yes", "--site", "client", "-o", "json")
    assert ran.code == 0, ran.err
    assert "client: sites.skupper.io/client" in ran.document["removed"]
    assert world.get("client", skupper_kinds.SITES, "client") is None
    assert world.get("cluster", skupper_kinds.SITES, "cluster") is not None
    assert bystanders.changed(before, bystanders.content(world)) == []


def test_search_finds_planted_secrets(world: World, rig: Rig) -> None:
    """Control for the tests that find no secrets."""
    (world.folder / "state" / "note").write_text(f"the code is {bystanders.CODE}, keep it\n")
    secret = world.get("client", kinds.SECRETS, "hazelcast-other")
    assert secret is not None
    [encoded] = (secret.get("data") or {}).values()
    texts = {**files_of(world), "out": f"tls.key: {encoded}", "err": f"key {bystanders.KEY}", "fine": "nothing here"}

    found = found_in(texts, {*rig.seen.of(world.namespace), *secrets_in({**secret, "kind": "Secret"})})

    assert {line.partition(":")[0] for line in found} == {"state/note", "out", "err"}


def test_comparison_finds_changed_and_deleted_objects(world: World) -> None:
    before = bystanders.content(world)
    world.patch("client", kinds.CONFIG_MAPS, "hazelcast-config-mine", {"data": {"keep": "not me"}})
    world.patch("client", skupper_kinds.LINKS, "hazelcast-elsewhere", {"metadata": {"annotations": {"a": "b"}}})
    world.delete("cluster", kinds.SECRETS, "hazelcast-other")

    changed = bystanders.changed(before, bystanders.content(world))

    assert sorted(line.splitlines()[0] for line in changed) == [
        "client: ConfigMap hazelcast-config-mine",
        "client: Link hazelcast-elsewhere",
        "cluster: Secret hazelcast-other",
    ]
