"""Labels of the objects of a `verify --in-cluster` run, by which the planner and `down` recognize them. Pure."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.model.objects import Object, Ref

JOBS = "jobs.batch"
NAME_PREFIX = "hzlink-verify-"
COMPONENT = "app.kubernetes.io/component"
VERIFY = "verify"
# The label that the Job controller sets on a Job's pods.
JOB_NAME = "batch.kubernetes.io/job-name"


def is_probe(item: Object) -> bool:
    """Whether an object of hzlink belongs to a probe, not to the topology."""
    return objects.labels(item).get(COMPONENT) == VERIFY and objects.name(item).startswith(NAME_PREFIX)


def job_of(item: Object) -> Ref | None:
    """The Job of a probe's ConfigMap or pod; None for an object that is not a probe's."""
    if not is_probe(item):
        return None
    return Ref(JOBS, objects.labels(item).get(JOB_NAME) or objects.name(item))
