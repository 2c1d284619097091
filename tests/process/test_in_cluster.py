"""`verify --in-cluster` with a scripted kubectl: the pod's output, and the removal of the Job."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from hzlink.model import probe_labels
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.events import Event, Mark
from hzlink.verify import in_cluster_job
from hzlink.verify.probe_messages import PREFIX, Verdict, verdict_line
from hzlink.verify.proof import Member, NameProof, Outcome, SiteProof
from hzlink.verify.site_proof import Plan
from tests.process.programs import Programs
from tests.unit.builders import EDGE, Obj, item, topology

NAMES = ("hazelcast-0", "hazelcast-1")
PLAN = Plan(EDGE, True, NAMES, frozenset(NAMES), 2, "dev")
PROOF = SiteProof(
    EDGE, True, tuple(NameProof(name, Outcome.OK, "", Member(name, f"{name}:5701")) for name in NAMES), inside=True
)
JOB = item("Job", "hzlink-verify-1", uid="uid-job", apiVersion="batch/v1")
ENDED = {"phase": "Succeeded", "containerStatuses": [{"name": "probe", "state": {"terminated": {"exitCode": 0}}}]}
POD = item("Pod", "hzlink-verify-1-x", owner=JOB, status=ENDED)


class Cluster:
    """A kubectl whose Job ends at once with a log. `answers` are shell cases that come before the default ones."""

    def __init__(self, programs: Programs, log: str, *answers: str, pod: Obj = POD) -> None:
        self._programs = programs
        self.told: list[Event] = []
        here = programs.folder
        (here / "log").write_text(log)
        (here / "job").write_text(json.dumps(JOB))
        (here / "pod").write_text(json.dumps({"type": "ADDED", "object": pod}) + "\n")
        programs.script(
            "kubectl",
            f'echo "$*" >> {here}/calls\ncase "$*" in\n'
            + "".join(f"{answer}\n" for answer in answers)
            + f"*' create '*) cat >> {here}/created; cat {here}/job;;\n*' logs '*) cat {here}/log;;\n"
            f"*' --watch '*) cat {here}/pod; exec sleep 60;;\n*' get '*) echo '{{\"items\": []}}';;\nesac",
        )

    def prove(self) -> SiteProof:
        topo = topology()
        return asyncio.run(in_cluster_job.verify_site(topo, PLAN, time.monotonic() + 20, self.told.append))

    def failing(self) -> HzlinkError:
        with pytest.raises(HzlinkError) as caught:
            self.prove()
        return caught.value

    def calls(self, verb: str) -> list[str]:
        return [line for line in (self._programs.folder / "calls").read_text().splitlines() if f" {verb} " in line]


def removed(cluster: Cluster) -> bool:
    return any(probe_labels.JOBS in call and "configmaps/" in call for call in cluster.calls("delete"))


def test_verdict_in_the_log_is_the_proof(programs: Programs) -> None:
    note = Event(Mark.OK, "hazelcast-0 answered", EDGE.name)
    cluster = Cluster(programs, f"warning: old\n{verdict_line(Verdict(PROOF, None, (note,)))}\n")
    assert cluster.prove() == PROOF
    assert note in cluster.told
    assert removed(cluster)


@pytest.mark.parametrize(
    "log",
    [
        f"{PREFIX}invalid\n",
        PREFIX + json.dumps({"notes": [], "proof": {}}),
        PREFIX + json.dumps({"notes": [], "proof": {"names": [], "members": [], "wrong": []}}),
        PREFIX + "[" * 100_000,
    ],
)
def test_invalid_verdict_is_one_error(programs: Programs, log: str) -> None:
    cluster = Cluster(programs, log)
    error = cluster.failing()
    assert error.message == "the pod's output is not a verdict of hzlink"
    assert (error.site, error.status, error.subject) == (EDGE.name, ExitStatus.FAILED, f"pod {POD['metadata']['name']}")
    assert error.said
    assert error.next_step
    assert removed(cluster)


def test_pod_that_ends_without_a_verdict_is_an_error(programs: Programs) -> None:
    end = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {"phase": "Failed", "containerStatuses": [{"name": "probe", "state": end}]}
    error = Cluster(programs, "loading\n", pod={**POD, "status": status}).failing()
    assert error.message == "the verification pod ended without a verdict (image python:3.13-slim)"
    assert error.said == "loading; OOMKilled: exit code 137"
    assert "get events" in (error.next_step or "")


def test_old_python_in_the_image_is_reported(programs: Programs) -> None:
    error = Cluster(programs, "hzlink's probe needs Python 3.11, this is 3.8\n").failing()
    assert "needs Python 3.11, this is 3.8" in (error.said or "")
    assert "--probe-image IMAGE" in (error.next_step or "")


def test_error_of_the_probe_is_raised(programs: Programs) -> None:
    line = verdict_line(Verdict(None, HzlinkError("the probe got no readable plan", said="not JSON")))
    error = Cluster(programs, line).failing()
    assert (error.message, error.said, error.site) == (
        "the probe got no readable plan",
        "not JSON",
        EDGE.name,
    )


FORBIDDEN = 'jobs.batch is forbidden: User \\"ann\\" cannot create resource'


def test_missing_right_to_create_jobs_is_named(programs: Programs) -> None:
    answer = f'*" create "*|*" delete "*) echo "Error from server (Forbidden): {FORBIDDEN}" >&2; exit 1;;'
    cluster = Cluster(programs, "", answer)
    error = cluster.failing()
    assert error.status is ExitStatus.PREREQUISITE
    assert "you may not create Job" in error.message
    assert cluster.told == []


def test_job_that_cannot_be_removed_is_a_warning(programs: Programs) -> None:
    answer = '*" delete "*) echo "Error from server: no" >&2; exit 1;;'
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), answer)
    assert cluster.prove() == PROOF
    [warning] = [event for event in cluster.told if event.mark is Mark.WARN]
    assert "could not be removed" in warning.text
    assert "hzlink down" in warning.text


@pytest.mark.parametrize(("annotations", "user"), [("{}", True), ('{"openshift.io/sa.scc.uid-range": "1/9"}', False)])
def test_user_id_is_left_to_openshift(programs: Programs, annotations: str, user: bool) -> None:
    found = f'{{"kind": "Namespace", "metadata": {{"name": "hz", "annotations": {annotations}}}}}'
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), f"*' get namespaces/hz '*) echo '{found}';;")
    cluster.prove()
    created = (programs.folder / "created").read_text()
    assert '"runAsNonRoot": true' in created
    assert ("runAsUser" in created) is user


def _create_config_map_fails() -> str:
    # The first call creates the Job, the second, for the ConfigMap, is refused.
    return (
        '*" create "*) cat > /dev/null; if [ -e "$0.made" ]; then echo "Error from server: too large" >&2; exit 1; fi; '
        'touch "$0.made"; cat "$(dirname "$0")/job";;'
    )


def test_job_is_removed_when_its_config_map_cannot_be_created(programs: Programs) -> None:
    cluster = Cluster(programs, "", _create_config_map_fails())
    assert "ConfigMap" in cluster.failing().message
    assert removed(cluster)


def test_pod_without_the_jobs_owner_reference_is_ignored(programs: Programs) -> None:
    foreign: dict[str, Any] = {**POD, "metadata": {**POD["metadata"], "ownerReferences": []}}
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), pod=foreign)

    async def verify() -> SiteProof:
        return await in_cluster_job.verify_site(topology(), PLAN, time.monotonic() + 2, cluster.told.append)

    with pytest.raises(HzlinkError) as caught:
        asyncio.run(verify())
    assert caught.value.status is ExitStatus.TIMEOUT
    assert caught.value.said == "no pod yet"
