"""The controllers of both clusters and the network between them, in one process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sandbox.api.client import Kube
from sandbox.api.kinds import KubeError
from sandbox.layout import SERVERS, Layout, Settings
from sandbox.skupper.controller import access, install, kinds
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.events import Events
from sandbox.skupper.controller.grants import Grants
from sandbox.skupper.controller.host_names import HostNames
from sandbox.skupper.controller.leader_election import LeaderElection
from sandbox.skupper.controller.links import Links
from sandbox.skupper.controller.load_balancers import LoadBalancers
from sandbox.skupper.controller.reconcile import Cycle, Timers
from sandbox.skupper.controller.sites import Sites
from sandbox.skupper.controller.tokens import Tokens
from sandbox.skupper.faults import delays, faults
from sandbox.skupper.network import port_forward
from sandbox.skupper.network.adoption import Adoption
from sandbox.skupper.network.bindings import Bindings
from sandbox.skupper.network.exposure import Exposure
from sandbox.skupper.network.network import Network
from sandbox.skupper.network.router_logs import RouterLogs
from sandbox.skupper.network.status import NetworkStatus
from sandbox.skupper.network.targets import StateCollector
from sandbox.skupper.network.traffic import Traffic

log = logging.getLogger(__name__)

_RETRY = 1.0
_START_SECONDS = 60.0


class Controller:
    """Reconciles everything whenever something changed or is due."""

    def __init__(self, layout: Layout, clusters: list[Cluster]) -> None:
        settings = Settings.read(layout)
        self._clusters = clusters
        self._faults = faults.FaultsFile(layout.state)
        self.delays = delays.PROFILES[settings.profile]
        self._timers = Timers()
        names = HostNames()
        self._load_balancers = LoadBalancers(settings.net, names)
        self._sites = Sites()
        self._grants = Grants(self._sites, names)
        self._tokens = Tokens(self._sites, self._grants, names, clusters)
        self._links = Links(self._sites)
        self._leader_election = LeaderElection()
        self._network = Network()
        self._router_logs = RouterLogs(layout, self._sites, self._network)
        self._status = NetworkStatus(self._sites, self._network)
        self._adoption = Adoption()
        self._collector = StateCollector(self._sites, self._links, self._leader_election, self._adoption, names)
        self._bindings = Bindings(self._sites, self._adoption)
        self._exposure = Exposure(self._sites, self._bindings)
        self._traffic = Traffic(layout, settings.net, self._collector, self._network, self._exposure)

    def close(self) -> None:
        """Ends the relays."""
        self._traffic.close()

    def reconcile(self, first: bool = False) -> float:
        """Reconciles once; returns when the next cycle is due at the latest (monotonic seconds).

        In the `first` cycle every delay has already passed.
        """
        self._run_step(self._faults_changed)
        cycle = Cycle(time.monotonic(), self.delays, self._faults.current, self._timers, first=first)
        acting = [cluster for cluster in self._clusters if self._is_active(cycle, cluster)]
        steps = [partial(self._load_balancers.step, cycle, cluster) for cluster in self._clusters]
        steps += [partial(self._configure, cycle, cluster) for cluster in acting]
        steps += [partial(self._connect, cycle)]
        steps += [partial(self._report, cycle, cluster) for cluster in acting]
        steps += [partial(self._update_traffic, cycle)]
        results = [self._run_step(step) for step in steps]
        if cycle.failed or not all(results):
            cycle.requeue_at(cycle.now + _RETRY)
        if all(results) and len(acting) == len(self._clusters):
            self._timers.sweep()
        return cycle.next_at

    def _faults_changed(self) -> None:
        if self._faults.refresh():
            log.info("faults: %s", self._faults.current.table)

    def _is_active(self, cycle: Cycle, cluster: Cluster) -> bool:
        """Whether the cluster's controller runs and does not wait for a URL."""
        if cycle.faults.get("controller", cluster.name) == "stopped":
            return False
        return cycle.reached(cluster.blocked_until)

    def _configure(self, cycle: Cycle, cluster: Cluster) -> None:
        self._sites.select_active(cluster)
        access.certificates(cycle, cluster)
        access.secured_accesses(cycle, cluster)
        self._sites.step(cycle, cluster)
        access.router_accesses(cycle, cluster, self._sites)
        access.secured_accesses(cycle, cluster)
        access.certificates(cycle, cluster)
        self._links.step(cycle, cluster)
        for resource in (kinds.LISTENERS, kinds.CONNECTORS):
            self._adoption.step(cycle, cluster, resource, self._sites.working(cluster))

    def _connect(self, cycle: Cycle) -> None:
        found = []
        for cluster in self._clusters:
            found += self._collector.states(cycle, cluster)
        self._network.step(cycle, found)

    def _report(self, cycle: Cycle, cluster: Cluster) -> None:
        self._status.step(cycle, cluster)
        self._router_logs.step(cycle, cluster)
        records_by_site = self._status.records(cluster)
        self._bindings.step(cycle, cluster, records_by_site)
        self._exposure.step(cycle, cluster, records_by_site)
        self._grants.step(cycle, cluster)
        self._tokens.step(cycle, cluster)

    def _update_traffic(self, cycle: Cycle) -> None:
        self._traffic.step(cycle, self._clusters)
        for cluster in self._clusters:
            port_forward.step(cycle, cluster, self._sites, self._traffic)

    def _run_step(self, step: Callable[[], None]) -> bool:
        """Runs a step; False when it failed. One step's error does not stop the others."""
        try:
            step()
        except KubeError as err:
            log.warning("%s", err)
            return False
        except Exception:
            # One broken object must not end the simulation.
            log.exception("a step failed")
            return False
        return True


def run(layout: Layout, stop: threading.Event) -> None:
    """Installs Skupper in both clusters and runs until `stop`."""
    log.info("starting")
    clusters = [Cluster(name, Kube.from_kubeconfig(layout.kubeconfig, name)) for name in SERVERS]
    controller = Controller(layout, clusters)
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda cluster: install.install(cluster.kube), clusters))
        log.info("installed")
        events = Events(clusters, [layout.state / faults.FILE, layout.endpoints])
        events.wait_for_all(stop, _START_SECONDS)
        log.info("all watches have listed their objects")
        for cluster in clusters:
            install.grant_server(cluster)
        due = controller.reconcile(first=True)
        layout.standin_ready.touch()
        log.info("serving")
        while not stop.is_set():
            events.wait(due, stop)
            due = controller.reconcile()
    finally:
        for cluster in clusters:
            cluster.kube.close()
        controller.close()
