"""The simulated kubelet of one API server: a thread, an address and DNS names for every pod."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import Obj, Resource, key_of
from sandbox.layout import Layout
from sandbox.network import names
from sandbox.network.loopback import LoopbackNetwork
from sandbox.pods import spec
from sandbox.pods.programs import MemberRuntime, PodLocation
from sandbox.pods.worker import PodWorker

PROCESSES = "sandbox.hzlink.dev/processes"
"""Namespace label: with the value `none`, no process runs behind its pods, which get ready at once."""


class Kubelet:
    """Watches one API server's pods, Services and namespaces, and runs its pods."""

    def __init__(
        self, server: str, kube: Kube, layout: Layout, runtime: MemberRuntime, network: LoopbackNetwork
    ) -> None:
        self.server = server
        self.kube = kube
        self.runtime = runtime
        self._layout = layout
        self._network = network
        self._lock = threading.RLock()
        self._workers: dict[str, PodWorker] = {}
        self._services: dict[tuple[str, str], Obj] = {}
        self._without_processes: set[str] = set()
        self._stopping = False

    def start(self) -> None:
        """Starts the watches; returns at once."""
        synced = [threading.Event(), threading.Event()]
        self._follow(kinds.NAMESPACES, self._namespace, synced[0])
        self._follow(kinds.SERVICES, self._service, synced[1])

        def pods_after_the_rest() -> None:
            for event in synced:
                event.wait()
            self._follow(kinds.PODS, self._pod, threading.Event())

        threading.Thread(target=pods_after_the_rest, name=f"{self.server}-pods", daemon=True).start()

    def stop(self) -> None:
        """Kills every process, without a status update."""
        with self._lock:
            self._stopping = True
            workers = list(self._workers.values())
        self.kube.close()
        for worker in workers:
            worker.record.stop()
        for worker in workers:
            worker.join(2.0)

    def refresh(self) -> None:
        """Updates the names in all namespaces: the stand-in's relays have changed."""
        with self._lock:
            for namespace in {worker.record.namespace for worker in self._workers.values()}:
                self._write_names(namespace)

    # For the pods

    def processes_allowed(self, namespace: str) -> bool:
        """Whether real processes may run in this namespace."""
        return namespace not in self._without_processes

    def lookup(self, namespace: str) -> spec.Lookup:
        """A function that reads the namespace's ConfigMaps and Secrets."""

        def data(kind: spec.DataKind, name: str) -> dict[str, bytes] | None:
            resource = kinds.CONFIG_MAPS if kind == "ConfigMap" else kinds.SECRETS
            obj = self.kube.get(resource, namespace, name)
            if obj is None:
                return None
            if kind == "Secret":
                return _decoded(obj.get("data"))
            texts = obj.get("data") or {}
            return {**{k: v.encode() for k, v in texts.items()}, **_decoded(obj.get("binaryData"))}

        return data

    def changed(self, worker: PodWorker) -> None:
        """Updates endpoints and names: a pod's process or readiness has changed."""
        record = worker.record
        with self._lock:
            if self._workers.get(record.uid) is worker:
                self._network.set_endpoint(self._key(worker), record.uid, worker.endpoint())
                self._write_names(record.namespace)

    def finished(self, worker: PodWorker) -> None:
        """Removes a pod whose process has ended for good."""
        record = worker.record
        with self._lock:
            if self._workers.pop(record.uid, None) is not None:
                self._network.set_endpoint(self._key(worker), record.uid, None)
                self._write_names(record.namespace)

    # Watches

    def _follow(self, resource: Resource, handle: Callable[[Obj, bool], None], synced: threading.Event) -> None:
        def follow() -> None:
            for event in self.kube.watch(resource):
                if event.type == "SYNCED":
                    synced.set()
                else:
                    with self._lock:
                        handle(event.object, event.type != "DELETED")

        threading.Thread(target=follow, name=f"{self.server}-{resource.plural}", daemon=True).start()

    def _namespace(self, namespace: Obj, exists: bool) -> None:
        labels = namespace["metadata"].get("labels", {})
        if exists and labels.get(PROCESSES) == "none":
            self._without_processes.add(namespace["metadata"]["name"])
        else:
            self._without_processes.discard(namespace["metadata"]["name"])

    def _service(self, service: Obj, exists: bool) -> None:
        key = key_of(service)
        if exists:
            self._services[key] = service
        else:
            self._services.pop(key, None)
        self._write_names(key[0])

    def _pod(self, pod: Obj, exists: bool) -> None:
        meta = pod["metadata"]
        worker = self._workers.get(meta["uid"])
        if worker is not None:
            if exists:
                worker.record.update(pod)
            else:
                worker.record.removed()
        elif exists and pod["spec"].get("nodeName") and not self._stopping:
            self._admit(pod)

    def _admit(self, pod: Obj) -> None:
        meta = pod["metadata"]
        address, pod_ip = self._network.allocate()
        folder = self._layout.pod_dir(self.server, meta["namespace"], meta["name"], meta["uid"])
        worker = PodWorker(self, pod, PodLocation(folder, address), pod_ip)
        self._workers[meta["uid"]] = worker
        self._write_names(meta["namespace"])
        worker.start()

    # Names

    def _write_names(self, namespace: str) -> None:
        """Writes the names of a namespace, and of those with aliases of its names."""
        aliasing = {ns for (ns, _), service in self._services.items() if names.namespace_of(service) == namespace}
        for one in {namespace, *aliasing}:
            self._write_names_of(one)

    def _write_names_of(self, namespace: str) -> None:
        here = [w for w in self._workers.values() if w.record.namespace == namespace]
        readers = [w for w in here if w.app != "none"]
        if not readers:
            return
        entries = self._entries(namespace, self._aliases)
        for worker in readers:
            names.write_hosts(worker.location.hosts, entries, worker.pod_name())

    def _aliases(self, target: str) -> list[str]:
        """The addresses of a Service's or pod's name in DNS; as in a cluster, it is not an alias itself."""
        namespace = target.partition(".svc.")[0].rpartition(".")[2]
        return [address for address, name in self._entries(namespace) if name == target]

    def _entries(self, namespace: str, aliases: Callable[[str], list[str]] = lambda _: []) -> list[names.Entry]:
        services = [s for (ns, _), s in self._services.items() if ns == namespace]
        pods = [w.pod_name() for w in self._workers.values() if w.record.namespace == namespace]
        relays = names.relays_by_target_port(services, *self._network.relays(self.server, namespace))
        return names.resolve(namespace, services, pods, relays, self._network.unreachable, aliases)

    def _key(self, worker: PodWorker) -> str:
        return f"{self.server}/{worker.record.namespace}/{worker.record.name}"


def _decoded(data: Obj | None) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in (data or {}).items()}
