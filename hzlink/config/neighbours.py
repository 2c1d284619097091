"""Topologies beside the chosen one, with the settings of their own last `up` on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from hzlink.config import last_run, resolve
from hzlink.model.errors import UsageError
from hzlink.model.topology import Topology


def with_records(found: Sequence[Topology], environ: Mapping[str, str] = os.environ) -> list[Topology]:
    """The topologies; those with a record of their own have its settings, such as where their members are from.

    Their Services are named as found in the clusters.
    """
    records = last_run.load(environ)
    return [_with_record(one, records) for one in found]


def _with_record(topology: Topology, records: Sequence[Mapping[str, object]]) -> Topology:
    cluster = topology.cluster
    wanted = (topology.name, cluster.context, cluster.namespace)
    for values in records:
        namespace = values.get("cluster_ns") or values.get("namespace") or cluster.namespace
        if (last_run.name_of(values), values.get("cluster_ctx"), namespace) == wanted:
            # A record that another release wrote may have values that this one does not know.
            with suppress(UsageError):
                settings = resolve.settings_of(values, members_given=False)
                return replace(topology, settings=replace(settings, service=topology.service))
    return topology
