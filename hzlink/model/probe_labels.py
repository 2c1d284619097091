"""How the objects of a `verify --in-cluster` run are marked, so that planning and `down` recognize them. Pure."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.model.objects import Object, Ref

JOBS = "jobs.batch"
NAME_PREFIX = "hzlink-verify-"
COMPONENT = "app.kubernetes.io/component"
VERIFY = "verify"
# The label that the Job controller puts on a Job's pods.
JOB_NAME = "batch.kubernetes.io/job-name"


def is_probe(item: Object) -> bool:
    """Whether an object of hzlink's is a probe's, and no part of the topology."""
    return objects.labels(item).get(COMPONENT) == VERIFY and objects.name(item).startswith(NAME_PREFIX)


def job_of(item: Object) -> Ref | None:
    """The Job that an object of hzlink's belongs to, which has a ConfigMap of its own name, and a pod."""
    if not is_probe(item):
        return None
    return Ref(JOBS, objects.labels(item).get(JOB_NAME) or objects.name(item))
