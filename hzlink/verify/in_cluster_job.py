"""Verifies from inside the cluster: a Job in the client site's namespace runs the proof and prints the verdict.

For users whose machine may not forward ports. Job and ConfigMap are removed at the end in any case.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass

from hzlink.apply import process_identity
from hzlink.apply.lease import Holder, holder
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.pods import Pods, unless_stuck
from hzlink.model import probe_labels
from hzlink.model.conditions import Condition
from hzlink.model.errors import ExitStatus, HzlinkError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import RESOURCES, Object, Ref, ref
from hzlink.model.objects import name as name_of
from hzlink.model.topology import Topology
from hzlink.observe.waiting import Objects
from hzlink.programs import hints, pod_hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError
from hzlink.programs.tasks import shielded
from hzlink.verify import probe_job, probe_messages, probe_package
from hzlink.verify.probe_messages import InvalidMessage
from hzlink.verify.proof import SiteProof
from hzlink.verify.site_proof import Plan

# Limit for the removal of Job, ConfigMap and pod: the pod's grace period, and the cluster's delay.
REMOVAL_LIMIT_SECONDS = probe_job.GRACE_SECONDS + 10.0
# How much longer than hzlink's wait the Job may run.
EXTRA_JOB_SECONDS = 30
# Characters of a pod's log that are read, and that an error shows if the log has no verdict.
MAX_LOG = 2_000_000
MAX_SHOWN = 400

# Reasons of a container whose image cannot be pulled or run.
_IMAGE_FAILURES = ("ErrImage", "ImagePull", "InvalidImageName", "StartError", "ContainerCannotRun", "RunContainerError")


async def verify_site(topology: Topology, plan: Plan, until: float, emit: Emit) -> SiteProof:
    """Does the same as site_proof.verify_site, from a pod of the site. `until`: seconds of time.monotonic.

    Raises:
        HzlinkError: the pod did not run, or printed no verdict; contains the reason.
        WaitTimeout: the pod did not end in time.
    """
    probe = _Probe(topology, plan, until, emit, f"{probe_labels.NAME_PREFIX}{secrets.token_hex(4)}")
    archive, with_user, _ = await asyncio.gather(
        asyncio.to_thread(probe_package.pack), _needs_user(probe.kubectl), _sweep(topology, probe.kubectl)
    )
    try:
        return await _run(probe, archive, with_user)
    finally:
        await shielded(_remove(probe), REMOVAL_LIMIT_SECONDS)


@dataclass
class _Probe:
    """One run at a site. `made`: its Job was created. `pods`: the Job's observed pods."""

    topology: Topology
    plan: Plan
    until: float
    emit: Emit
    name: str
    made: bool = False
    pods: tuple[Ref, ...] = ()

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(self.plan.site)

    @property
    def image(self) -> str:
        return self.topology.settings.probe_image


async def _needs_user(kubectl: Kubectl) -> bool:
    """Whether the Job has to set a user ID, because the image may use root."""
    with suppress(KubectlError):  # the user may not be allowed to read namespaces
        return not probe_job.chooses_users(await kubectl.namespace())
    return True


async def _run(probe: _Probe, archive: bytes, with_user: bool) -> SiteProof:
    kubectl, topology = probe.kubectl, probe.topology
    seconds = max(1, int(probe.until - time.monotonic())) + EXTRA_JOB_SECONDS
    me = Holder(process_identity.holder_name(), probe.name, process_identity.current())
    # The Job is created first and owns the ConfigMap, so that the cluster removes both if this run is killed.
    pull_secrets = topology.settings.pull_secrets
    wanted = probe_job.job(
        *(topology.name, probe.name, probe.image, seconds, me), with_user=with_user, pull_secrets=pull_secrets
    )
    job = await kubectl.create(wanted)
    probe.made = True
    await kubectl.create(probe_job.config_map(topology.name, job, archive, probe_messages.plan_text(probe.plan)))
    pod = await _ended(probe, job)
    return _read(probe, pod, await _log(kubectl, name_of(pod)))


async def _log(kubectl: Kubectl, pod: str) -> str:
    """The probe's output. A container that did not start has no log: then its pod has the reason."""
    try:
        return await kubectl.pod_output(pod, probe_job.CONTAINER, limit_bytes=MAX_LOG)
    except KubectlError as error:
        if error.status is ExitStatus.PREREQUISITE:
            raise
        return ""


async def _ended(probe: _Probe, job: Object) -> Object:
    """Waits until the Job's pod has ended, and returns the pod."""
    run = Run(probe.topology, {}, probe.emit, probe.until)
    site, selector = probe.plan.site, probe_job.pods_selector(probe.name)

    def judge(pods: Objects) -> Condition:
        probe.pods = tuple(map(ref, probe_job.pods_of(job, pods.values())))
        return probe_job.has_ended(job, pods.values())

    waiting = run.wait(probe.kubectl, "verification pod ended").watch(RESOURCES["Pod"], judge, selector=selector)
    try:
        seen = await unless_stuck(run, site, Pods("Job", probe.name, selector), waiting)
    except KubectlError:
        raise
    except HzlinkError as error:
        raise _explained(probe, error) from None
    return next(pod for pod in seen.values() if probe_job.has_ended(job, [pod]).ok)


def _explained(probe: _Probe, error: HzlinkError) -> HzlinkError:
    """The error for a pod that does not start. By then the pod is deleted, so the command shows events."""
    if not isinstance(error, WaitTimeout):
        # The Job's name is random, so it does not help the user.
        error.subject = None
        error.message = f"the verification pod does not start (image {probe.image})"
    error.next_step = _next(probe, error.said or "")
    return error


def _next(probe: _Probe, said: str) -> str:
    if any(word in said for word in _IMAGE_FAILURES):
        other = f"{hints.hzlink('verify --in-cluster')} --probe-image IMAGE   (any image with Python 3.11"
        return f"{other}; from a private registry: --pull-secret NAME)" if pod_hints.is_denied(said) else f"{other})"
    return hints.kubectl(probe.plan.site, "get events --sort-by=.lastTimestamp")


def _read(probe: _Probe, pod: Object, log: str) -> SiteProof:
    """The proof in the pod's log."""
    site = probe.plan.site
    try:
        found = probe_messages.read_verdict(probe.plan, log)
    except InvalidMessage as error:
        raise HzlinkError(
            "the pod's output is not a verdict of hzlink",
            site=site.name,
            subject=f"pod {name_of(pod)}",
            said=str(error),
            next_step=_next(probe, ""),
        ) from None
    if found is None:
        last = log.strip().rpartition("\n")[2][-MAX_SHOWN:]
        why = probe_job.why_ended(pod)
        raise HzlinkError(
            f"the verification pod ended without a verdict (image {probe.image})",
            site=site.name,
            subject=f"pod {name_of(pod)}",
            said="; ".join(text for text in (last, why) if text) or None,
            next_step=_next(probe, "StartError" if "Python" in last else why),
        )
    for note in found.notes:
        probe.emit(note)
    if found.proof is None:
        raise found.error or HzlinkError("no verdict", site=site.name)
    return found.proof


async def _remove(probe: _Probe) -> None:
    """Removes Job and ConfigMap, and waits for the pod, which removes its map from the members."""
    try:
        # Also if creating the Job failed, because only the answer may have been lost.
        await probe.kubectl.delete(probe_job.refs(probe.name))
        await probe.kubectl.wait_gone((*probe_job.refs(probe.name), *probe.pods), REMOVAL_LIMIT_SECONDS)
    except HzlinkError as error:
        if not probe.made:
            return
        text = f"Job {probe.name} could not be removed: {error.message}; hzlink down removes it"
        probe.emit(Event(Mark.WARN, text, probe.plan.site.name))


async def _sweep(topology: Topology, kubectl: Kubectl) -> None:
    """Removes the Jobs of killed runs on this machine. The cluster removes those of other machines after a while."""
    found = await kubectl.objects([probe_labels.JOBS], probe_job.selector(topology.name))
    left = [item for item in found if process_identity.runs_holder(holder(item)) is False]
    await kubectl.delete([target for item in left for target in probe_job.refs(name_of(item))])
