"""`verify --in-cluster` with a kubectl that answers what it is told to: what a pod may print, what is removed."""

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
    """A kubectl whose Job ends at once with a log. `answers` go before what it would say of itself."""

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


def test_the_verdict_in_the_log_is_the_proof(programs: Programs) -> None:
    note = Event(Mark.OK, "hazelcast-0 answered", EDGE.name)
    cluster = Cluster(programs, f"warning: old\n{verdict_line(Verdict(PROOF, None, (note,)))}\n")
    assert cluster.prove() == PROOF
    assert note in cluster.told
    assert removed(cluster)


@pytest.mark.parametrize(
    "log",
    [
        f"{PREFIX}moo\n",
        PREFIX + json.dumps({"notes": [], "proof": {}}),
        PREFIX + json.dumps({"notes": [], "proof": {"names": [], "members": [], "wrong": []}}),
        PREFIX + "[" * 100_000,
    ],
)
def test_nonsense_gives_one_clear_error(programs: Programs, log: str) -> None:
    cluster = Cluster(programs, log)
    error = cluster.failing()
    assert error.message == "the pod's output is not a verdict of hzlink"
    assert (error.site, error.status, error.subject) == (EDGE.name, ExitStatus.FAILED, f"pod {POD['metadata']['name']}")
    assert error.said
    assert error.next_step
    assert removed(cluster)


def test_a_pod_that_ends_without_a_word(programs: Programs) -> None:
    end = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {"phase": "Failed", "containerStatuses": [{"name": "probe", "state": end}]}
    error = Cluster(programs, "loading\n", pod={**POD, "status": status}).failing()
    assert error.message == "the verification pod ended without a verdict (image python:3.13-slim)"
    assert error.said == "loading; OOMKilled: exit code 137"
    assert "get events" in (error.next_step or "")


def test_a_python_that_is_too_old_says_so(programs: Programs) -> None:
    error = Cluster(programs, "hzlink's probe needs Python 3.11, this is 3.8\n").failing()
    assert "needs Python 3.11, this is 3.8" in (error.said or "")
    assert "--probe-image IMAGE" in (error.next_step or "")


def test_what_the_probe_itself_could_not_do(programs: Programs) -> None:
    line = verdict_line(Verdict(None, HzlinkError("the probe got no readable plan", said="not JSON")))
    error = Cluster(programs, line).failing()
    assert (error.message, error.said, error.site) == (
        "the probe got no readable plan",
        "not JSON",
        EDGE.name,
    )


FORBIDDEN = 'jobs.batch is forbidden: User \\"ann\\" cannot create resource'


def test_who_may_not_make_jobs_is_told_so_and_no_more(programs: Programs) -> None:
    answer = f'*" create "*|*" delete "*) echo "Error from server (Forbidden): {FORBIDDEN}" >&2; exit 1;;'
    cluster = Cluster(programs, "", answer)
    error = cluster.failing()
    assert error.status is ExitStatus.PREREQUISITE
    assert "you may not create Job" in error.message
    assert cluster.told == []


def test_what_cannot_be_removed_is_told(programs: Programs) -> None:
    answer = '*" delete "*) echo "Error from server: no" >&2; exit 1;;'
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), answer)
    assert cluster.prove() == PROOF
    [warning] = [event for event in cluster.told if event.mark is Mark.WARN]
    assert "could not be removed" in warning.text
    assert "hzlink down" in warning.text


@pytest.mark.parametrize(("annotations", "user"), [("{}", True), ('{"openshift.io/sa.scc.uid-range": "1/9"}', False)])
def test_openshift_chooses_the_user(programs: Programs, annotations: str, user: bool) -> None:
    found = f'{{"kind": "Namespace", "metadata": {{"name": "hz", "annotations": {annotations}}}}}'
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), f"*' get namespaces/hz '*) echo '{found}';;")
    cluster.prove()
    created = (programs.folder / "created").read_text()
    assert '"runAsNonRoot": true' in created
    assert ("runAsUser" in created) is user


def _create_config_map_fails() -> str:
    # The Job is made with the first call, the ConfigMap refused with the second.
    return (
        '*" create "*) cat > /dev/null; if [ -e "$0.made" ]; then echo "Error from server: too large" >&2; exit 1; fi; '
        'touch "$0.made"; cat "$(dirname "$0")/job";;'
    )


def test_the_job_goes_when_its_config_map_cannot_be_made(programs: Programs) -> None:
    cluster = Cluster(programs, "", _create_config_map_fails())
    assert "ConfigMap" in cluster.failing().message
    assert removed(cluster)


def test_a_pod_that_is_not_the_jobs_is_not_believed(programs: Programs) -> None:
    stranger: dict[str, Any] = {**POD, "metadata": {**POD["metadata"], "ownerReferences": []}}
    cluster = Cluster(programs, verdict_line(Verdict(PROOF, None)), pod=stranger)

    async def soon() -> SiteProof:
        return await in_cluster_job.verify_site(topology(), PLAN, time.monotonic() + 2, cluster.told.append)

    with pytest.raises(HzlinkError) as caught:
        asyncio.run(soon())
    assert caught.value.status is ExitStatus.TIMEOUT
    assert caught.value.said == "no pod yet"
