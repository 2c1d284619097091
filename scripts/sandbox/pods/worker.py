"""The lifecycle of one pod: init containers, the process, readiness, restarts, deletion."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.api import kinds
from sandbox.api.kinds import ConflictError, KubeError, NotFoundError, Obj
from sandbox.network.names import PodName
from sandbox.pods import images, kwok_endpoints, programs, spec
from sandbox.pods.container import ContainerRun, Readiness, log_line
from sandbox.pods.programs import Launch, PodLocation
from sandbox.pods.record import PodDeletedError, PodRecord
from sandbox.pods.status import ContainerView

if TYPE_CHECKING:
    from sandbox.pods.kubelet import Kubelet

_HOLD_MESSAGES = {
    "ImagePullBackOff": 'Back-off pulling image "{image}"',
    "ErrImagePull": 'failed to pull image "{image}"',
    "CrashLoopBackOff": "back-off restarting failed container {name}",
}


class PodWorker:
    """Runs one pod in its own thread."""

    def __init__(self, kubelet: Kubelet, pod: Obj, location: PodLocation, pod_ip: str) -> None:
        self.record = PodRecord(kubelet.kube, pod, pod_ip)
        self.location = location
        self.app = programs.app_of(pod)
        self._kubelet = kubelet
        self._run: ContainerRun | None = None
        self._logs: dict[str, tuple[Path, Path | None]] = {}
        self._thread = threading.Thread(target=self._run_pod, name=f"pod-{self.record.name}", daemon=True)

    def start(self) -> None:
        """Starts the pod's thread."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits for the pod's thread."""
        self._thread.join(seconds)

    def pod_name(self) -> PodName:
        """The pod as DNS sees it."""
        meta, spec = self.record.pod["metadata"], self.record.pod["spec"]
        return PodName(
            name=meta["name"],
            labels=meta.get("labels", {}),
            address=self.location.address,
            ready=self.record.view.ready,
            hostname=spec.get("hostname", ""),
            subdomain=spec.get("subdomain", ""),
        )

    def endpoint(self) -> Obj | None:
        """The entry in endpoints.json; None while no process runs."""
        run = self._run
        if run is None:
            return None
        return {
            "ip": self.location.address,
            "ports": sorted(set(spec.ports(self.record.pod).values())),
            "ready": self.record.view.ready,
            "podIP": self.record.pod_ip,
            "uid": self.record.uid,
            "pid": run.pid,
            "app": self.app,
        }

    # Lifecycle

    def _run_pod(self) -> None:
        record = self.record
        try:
            record.publish()
            for view, container in zip(record.view.init, record.pod["spec"].get("initContainers") or [], strict=True):
                self._initialize(view, container)
            while True:
                self._run_containers()
                if self._is_over():
                    self._stay_terminated()
                self._back_off(record.view.main[0])
        except PodDeletedError:
            pass
        except (NotFoundError, ConflictError):
            record.gone = True
        except Exception as err:  # reported here, so that one pod's error does not stop the others
            print(f"{record.namespace}/{record.name}: {err!r}", file=sys.stderr, flush=True)
        self._finish()

    def _is_over(self) -> bool:
        """Whether the restart policy keeps the ended container from being restarted."""
        main, policy = self.record.view.main[0], self.record.pod["spec"].get("restartPolicy", "Always")
        return main.state == "terminated" and (policy == "Never" or (policy == "OnFailure" and main.exit_code == 0))

    def _stay_terminated(self) -> None:
        """Waits until the ended pod is deleted."""
        self.record.view.over = True
        self.record.publish()
        self.record.wait(None, lambda: False)

    def _initialize(self, view: ContainerView, container: Obj) -> None:
        """Runs one init container until it succeeds. Only shell scripts of known apps run as processes."""
        while True:
            env = self._prepare(view, container)
            launch = (
                programs.init_script(container, env, self.location, self._kubelet.runtime)
                if self.app != "none"
                else None
            )
            view.run()
            if launch is not None:
                self.record.publish()
            code = self._run_to_end(view, launch) if launch is not None else 0
            view.end(code)
            view.ready = code == 0
            if code == 0:
                if launch is not None:
                    self.record.publish()
                return
            self._back_off(view)

    def _run_to_end(self, view: ContainerView, launch: Launch) -> int:
        run = ContainerRun(launch, self._log(view), self.record.wake)
        try:
            self._publish_logs()
            self.record.wait(None, lambda: run.exit_code is not None)
        finally:
            run.send(signal.SIGKILL)
            run.drain()
        return run.exit_code or 0

    def _run_containers(self) -> None:
        """Runs the containers; returns when the process has ended or the pod gets the annotation HOLD."""
        view, container = self.record.view.main[0], self.record.pod["spec"]["containers"][0]
        env = self._prepare(view, container)
        launch = self._launch(container, env)
        if self.app == "python" and launch is None and self._kubelet.processes_allowed(self.record.namespace):
            view.fail_to_start(f'exec: "{(container.get("command") or [""])[0]}": executable file not found in $PATH')
            return
        for main in self.record.view.main:
            main.run()
        if launch is None:
            self._log_that_nothing_runs(view)
            self._watch(Readiness(None, None, self.location.address, pod_timing=False))
            return
        named = spec.ports(self.record.pod)
        self._run = run = ContainerRun(launch, self._log(view), self.record.wake)
        readiness = Readiness(
            spec.probe(container, "startupProbe", named),
            spec.probe(container, "readinessProbe", named),
            self.location.address,
            pod_timing=self._kubelet.runtime.profile == "measured",
        )
        self._kubelet.changed(self)
        self.record.publish()
        self._publish_logs()
        kwok_endpoints.publish_ports(self.record.kube, self.record.pod, self.location.address, named.values())
        self._watch(readiness, run)
        self._end_process(run, 5.0)
        for main in self.record.view.main:
            main.end(run.exit_code or 0)
            main.ready = False
        self._kubelet.changed(self)

    def _launch(self, container: Obj, env: dict[str, str]) -> Launch | None:
        if self.app == "none" or not self._kubelet.processes_allowed(self.record.namespace):
            return None
        if self.app == "python":
            return programs.python(container, env, self.location)
        if self.app == "mancenter":
            return programs.mancenter(container, env, self.location, self._kubelet.runtime)
        return (
            programs.member(container, env, self.location, self._kubelet.runtime)
            if self._kubelet.runtime.available
            else None
        )

    def _watch(self, readiness: Readiness, run: ContainerRun | None = None) -> None:
        """Updates the containers' readiness until the process ends or the pod gets the annotation HOLD."""
        record = self.record
        not_before = time.monotonic() + record.ready_after
        while True:
            self._set_readiness(readiness.started, readiness.ready and time.monotonic() >= not_before)
            pause = readiness.due
            if readiness.ready and not record.view.ready:
                pause = not_before - time.monotonic()
            ended = record.wait(pause, lambda: bool(record.hold) or (run is not None and run.exit_code is not None))
            if ended:
                return
            if readiness.due == 0.0:
                readiness.check()

    def _set_readiness(self, started: bool, ready: bool) -> None:
        views = self.record.view.main
        if all((view.started, view.ready) == (started, ready) for view in views):
            return
        for view in views:
            view.started, view.ready = started, ready
        self.record.publish()
        self._kubelet.changed(self)

    def _back_off(self, view: ContainerView) -> None:
        """Counts a restart; from the second on waits first, as a kubelet does (shorter in the profile `fast`)."""
        if view.state != "terminated":
            return
        self.record.publish()
        view.restart()
        if view.restarts > 1:
            base, most = (10.0, 300.0) if self._kubelet.runtime.profile == "measured" else (0.5, 5.0)
            seconds = min(base * 2 ** (view.restarts - 2), most)
            view.wait("CrashLoopBackOff", f"back-off {seconds:g}s restarting failed container {view.name}")
            self.record.publish()
            self.record.wait(seconds, lambda: False)

    # Before a container starts

    def _prepare(self, view: ContainerView, container: Obj) -> dict[str, str]:
        """Waits until the container can start; its environment."""
        record = self.record
        while True:
            if record.hold:
                self._wait_held(view)
                continue
            lookup = self._kubelet.lookup(record.namespace)
            try:
                spec.write_volumes(record.pod, self.location.volumes, lookup)
                self._pull(view)
                return spec.environment(container, record.pod, self.location.address, lookup)
            except spec.MissingError as err:
                view.wait("CreateContainerConfigError", str(err))
                record.publish()
            except KubeError:
                pass
            record.wait(0.5, lambda: bool(record.hold))

    def _pull(self, view: ContainerView) -> None:
        """Returns at once if the image can be pulled; otherwise reports back-off until the pod is deleted."""
        said = images.refusal(view.image)
        while said:
            view.wait("ErrImagePull", said)
            self.record.publish()
            self.record.wait(1.0, lambda: False)
            view.wait("ImagePullBackOff", f'Back-off pulling image "{view.image}": ErrImagePull: {said}')
            self.record.publish()
            self.record.wait(10.0, lambda: False)

    def _wait_held(self, view: ContainerView) -> None:
        reason = self.record.hold
        views = [view] if view in self.record.view.init else self.record.view.main
        for held in views:
            held.wait(reason, _HOLD_MESSAGES.get(reason, "").format(image=held.image, name=held.name))
        self.record.publish()
        self.record.wait(None, lambda: self.record.hold != reason)

    # Logs

    def _log(self, view: ContainerView) -> Path:
        path = self.location.log(view.name, view.restarts)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = self._logs.get(view.name)
        self._logs[view.name] = (path, before[0] if before else None)
        return path

    def _log_that_nothing_runs(self, view: ContainerView) -> None:
        """Writes into the log of a known app's pod that it has no process."""
        if self.app != "none":
            self._log(view).write_bytes(log_line(b"sandbox: this pod has no process"))
            self._publish_logs()

    def _publish_logs(self) -> None:
        kwok_endpoints.publish_logs(self.record.kube, self.record.pod, self._logs)

    # Stopping

    def _end_process(self, run: ContainerRun, grace: float) -> None:
        """SIGTERM, `grace` seconds (none once the pod is removed), SIGKILL."""
        if grace > 0 and not self.record.gone:
            run.send(signal.SIGTERM)
            self.record.wait_gone(grace, lambda: run.exit_code is not None)
        run.send(signal.SIGKILL)
        run.drain()
        self._run = None

    def _finish(self) -> None:
        record = self.record
        if self._run is not None:
            grace = record.pod["metadata"].get("deletionGracePeriodSeconds", 30)
            self._end_process(self._run, float(grace))
        self._kubelet.finished(self)
        while not record.stopping:
            try:
                if self._logs:
                    kwok_endpoints.remove(record.kube, record.pod)
                # Deleted only now: its process has ended.
                record.kube.delete(kinds.PODS, record.namespace, record.name, grace=0, uid=record.uid)
            except KubeError:
                time.sleep(0.5)
            else:
                return
