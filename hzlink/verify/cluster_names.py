"""Compares the Hazelcast cluster's name in three places: the members, hzlink's client, and the sites' clients. Pure.

A member refuses a client that names another cluster in the same way as one without credentials, and does not say which.
Its log has the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote

from hzlink.model import objects
from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Topology
from hzlink.observe import membership
from hzlink.observe.snapshot import Snapshots
from hzlink.programs import hints

# The line of hzlink's ConfigMap for clients, the value quoted or not.
_NAME = re.compile(r"^\s*cluster-name:\s*[\"']?(?P<name>.*?)[\"']?\s*$", re.MULTILINE)


def errors(topology: Topology, snapshots: Snapshots, told: str) -> list[HzlinkError]:
    """An error for each difference; none if the members' logs do not have their names. `told`: to hzlink's client."""
    found = _of_members(topology, snapshots)
    if not found:
        return []
    names = sorted(set(found.values()))
    listed = "; ".join(f"{', '.join(pod for pod in found if found[pod] == name)}: {name}" for name in names)
    logs = hints.kubectl(topology.cluster, f"logs --selector={topology.member_selector} --prefix --tail=20")
    if len(names) > 1:
        text = f"the members are of {len(names)} clusters with different names"
        return [HzlinkError(text, site=topology.cluster.name, said=f"their logs say: {listed}", next_step=logs)]
    wrong = []
    if told != names[0]:
        text = f"the members' cluster is named {names[0]}, and the client was told {told}"
        step = hints.hzlink(f"verify --hazelcast-cluster {quote(names[0])}")
        said = f"their logs say: {listed}"
        wrong.append(HzlinkError(text, site=topology.cluster.name, said=said, next_step=f"{step}   (see: {logs})"))
    for site in topology.clients:
        for name, known in _of_clients(topology, snapshots, site.name).items():
            if known != names[0]:
                text = f"ConfigMap {name} names the cluster {known} to clients, but the members' is {names[0]}"
                wrong.append(HzlinkError(text, site=site.name, next_step=hints.hzlink("up")))
    return wrong


def _of_members(topology: Topology, snapshots: Snapshots) -> Mapping[str, str]:
    """The cluster name of each member, by pod, from its log."""
    cluster = snapshots[topology.cluster]
    present = {objects.name(pod) for pod in cluster.of("Pod")}
    identities = membership.identities(cluster.member_log or "")
    return {pod: one.cluster for pod, one in sorted(identities.items()) if pod in present}


def _of_clients(topology: Topology, snapshots: Snapshots, site: str) -> Mapping[str, str]:
    """The cluster name in hzlink's configuration of a client site's clients, by ConfigMap."""
    found = {}
    for one, snapshot in snapshots.items():
        for item in snapshot.of("ConfigMap") if one.name == site else ():
            for text in (item.get("data") or {}).values() if objects.is_ours(item, topology.name) else ():
                if match := _NAME.search(str(text)):
                    found[objects.name(item)] = match["name"]
    return found
