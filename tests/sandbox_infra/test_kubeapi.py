"""The API client, against a real API server."""

from __future__ import annotations

import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import ConflictError, NotFoundError, UnreachableError, WatchEvent
from sandbox.clusters import control_planes
from tests.sandbox_infra.objects import config_map
from tests.sandboxed import PATIENCE_SECONDS, Namespaces, Sandbox, until

pytestmark = pytest.mark.sandbox


@pytest.fixture
def kube(sandbox: Sandbox) -> Iterator[Kube]:
    made = Kube.from_kubeconfig(sandbox.kubeconfig, "client")
    yield made
    made.close()


def test_create_read_update_delete(kube: Kube, namespaces: Namespaces) -> None:
    ns = namespaces.make()

    kube.create(kinds.CONFIG_MAPS, config_map("a", ns, key="1"))
    with pytest.raises(ConflictError):
        kube.create(kinds.CONFIG_MAPS, config_map("a", ns))
    patched = kube.patch(kinds.CONFIG_MAPS, ns, "a", {"data": {"key": None, "other": "2"}})
    applied = kube.apply(kinds.CONFIG_MAPS, config_map("a", ns, third="3"))

    assert patched["data"] == {"other": "2"}
    assert applied["data"] == {"other": "2", "third": "3"}
    assert ("a", "ConfigMap") in [(o["metadata"]["name"], o["kind"]) for o in kube.list(kinds.CONFIG_MAPS, ns)]
    assert not kube.delete(kinds.CONFIG_MAPS, ns, "a", uid="another")
    assert kube.delete(kinds.CONFIG_MAPS, ns, "a")
    assert kube.get(kinds.CONFIG_MAPS, ns, "a") is None
    assert not kube.delete(kinds.CONFIG_MAPS, ns, "a")


def test_an_idle_connection_is_used_again(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx may close a connection that expires just when another thread takes it."""
    kube.list(kinds.NAMESPACES)
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600)
    monkeypatch.setattr("httpcore._sync.http11.time", later)
    monkeypatch.setattr(socket, "create_connection", None)

    assert kube.list(kinds.NAMESPACES)


def test_missing_objects(kube: Kube) -> None:
    unknown = kinds.Resource("nobody.example", "v1", "things", "Thing")

    with pytest.raises(NotFoundError):
        kube.patch(kinds.CONFIG_MAPS, "hz", "no-such", {"data": {}})
    with pytest.raises(NotFoundError):
        kube.list(unknown)


def test_a_server_that_does_not_run_is_unreachable(sandbox: Sandbox) -> None:
    text = sandbox.kubeconfig.read_text()
    port = text.split("https://127.0.0.1:")[1].split("\n")[0]
    broken = sandbox.state / "home" / "broken.kubeconfig"
    broken.write_text(text.replace(f"127.0.0.1:{port}", "127.0.0.1:9"))

    with pytest.raises(UnreachableError):
        Kube.from_kubeconfig(broken, "client").list(kinds.NAMESPACES)


def _events(kube: Kube, namespace: str) -> queue.Queue[WatchEvent]:
    seen: queue.Queue[WatchEvent] = queue.Queue()

    def follow() -> None:
        for event in kube.watch(kinds.CONFIG_MAPS, namespace, "followed=yes"):
            seen.put(event)

    threading.Thread(target=follow, daemon=True).start()
    return seen


def _followed(name: str, namespace: str) -> kinds.Obj:
    return {"metadata": {"name": name, "namespace": namespace, "labels": {"followed": "yes"}}}


def test_a_watch_reports_every_change(kube: Kube, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    kube.create(kinds.CONFIG_MAPS, _followed("before", ns))
    seen = _events(kube, ns)
    first, synced = seen.get(timeout=PATIENCE_SECONDS), seen.get(timeout=PATIENCE_SECONDS)
    kube.create(kinds.CONFIG_MAPS, _followed("after", ns))
    kube.patch(kinds.CONFIG_MAPS, ns, "after", {"data": {"a": "b"}})
    kube.delete(kinds.CONFIG_MAPS, ns, "before")
    rest = [seen.get(timeout=PATIENCE_SECONDS) for _ in range(3)]

    assert (first.type, first.object["metadata"]["name"], synced.type) == ("ADDED", "before", "SYNCED")
    assert [(e.type, e.object["metadata"]["name"]) for e in rest] == [
        ("ADDED", "after"),
        ("MODIFIED", "after"),
        ("DELETED", "before"),
    ]


def test_a_watch_survives_a_restart_of_its_server(sandbox: Sandbox, namespaces: Namespaces, kube: Kube) -> None:
    """The server is killed and restarted; objects that were deleted in between are reported, too."""
    ns = namespaces.make()
    kube.create(kinds.CONFIG_MAPS, _followed("stays", ns))
    kube.create(kinds.CONFIG_MAPS, _followed("goes", ns))
    seen = _events(kube, ns)
    until(lambda: seen.qsize() == 3)
    while not seen.empty():
        seen.get()
    process = control_planes.components(sandbox.layout)["client", "kube-apiserver"]

    process.send(signal.SIGKILL)
    process.wait_gone(5)
    until(lambda: ("client", "kube-apiserver") in control_planes.components(sandbox.layout))
    until(lambda: _answers(kube), 30, step=0.2)
    kube.delete(kinds.CONFIG_MAPS, ns, "goes")
    kube.create(kinds.CONFIG_MAPS, _followed("comes", ns))

    told: set[tuple[str, str]] = set()
    while len(told) < 2:
        event = seen.get(timeout=PATIENCE_SECONDS)
        if event.type != "SYNCED":
            told.add((event.type, event.object["metadata"]["name"]))
    assert told == {("DELETED", "goes"), ("ADDED", "comes")}


def _answers(kube: Kube) -> bool:
    try:
        kube.list(kinds.NAMESPACES)
    except UnreachableError:
        return False
    return True


def test_closing_ends_a_watch(sandbox: Sandbox) -> None:
    kube = Kube.from_kubeconfig(sandbox.kubeconfig, "cluster")
    synced = threading.Event()

    def follow() -> None:
        for event in kube.watch(kinds.NODES):
            if event.type == "SYNCED":
                synced.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert synced.wait(PATIENCE_SECONDS)

    kube.close()

    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
