"""Changes the rendered objects for members that hzlink did not deploy. Pure.

At the cluster site only the Skupper Site and the Connector remain, with the members' selector and port. At the client
sites, Management Center gets the cluster's name and the members' names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hzlink.model import existing_members as existing
from hzlink.model import objects
from hzlink.model.existing_members import Found, SourceKind
from hzlink.model.objects import Object
from hzlink.model.topology import Topology

_KEPT = ("Site", "Connector")
_CLIENT_FILE = "hazelcast-client.yaml"
_DEFAULT_NAME = f"cluster-name: {existing.DEFAULT_CLUSTER}"


def adapted(topology: Topology, items: Iterable[Object]) -> list[Object]:
    """The objects of a site; unchanged if hzlink deploys the members."""
    found = topology.found
    if found is None:
        return list(items)
    listed = list(items)
    if any(item.get("kind") == "Connector" for item in listed):
        return [_connector(topology, found, item) for item in listed if item.get("kind") in _KEPT]
    return [_client(topology, found, item) for item in listed]


def _connector(topology: Topology, found: Found, item: Object) -> Object:
    if item.get("kind") != "Connector":
        return item
    notes = {existing.MEMBERS_FROM: str(found.source)}
    if topology.settings.members_port is not None:
        notes[existing.MEMBERS_PORT] = str(found.port)
    if found.cluster_name:
        notes[existing.HAZELCAST_CLUSTER] = found.cluster_name
    spec = {**objects.spec(item), "selector": str(found.selector), "port": found.port}
    return {**_annotated(item, notes), "spec": spec}


def _annotated(item: Object, notes: Mapping[str, str]) -> dict[str, Any]:
    metadata: Mapping[str, Any] = item.get("metadata") or {}
    return {**item, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **notes}}}


def _client(topology: Topology, found: Found, item: Object) -> Object:
    if item.get("kind") == "ConfigMap":
        data = {key: _client_file(topology, key, text) for key, text in (item.get("data") or {}).items()}
        return {**item, "data": data}
    if item.get("kind") == "Deployment":
        return _mancenter(topology, found, item)
    return item


def _client_file(topology: Topology, key: str, text: str) -> str:
    # A JSON string is a YAML string, whatever characters the name has.
    name = json.dumps(topology.cluster_name)
    return text.replace(_DEFAULT_NAME, f"cluster-name: {name}") if key == _CLIENT_FILE else text


def _mancenter(topology: Topology, found: Found, item: Object) -> Object:
    """The Deployment whose init container waits for these names. Another cluster's name replaces its pod.

    The names of a StatefulSet's pods stay. Other pods get new names: then Management Center must not wait for ever.
    """
    env = {
        "HAZELCAST_MEMBER_NAMES": " ".join(found.names),
        "HAZELCAST_LEAST_MEMBERS": "1" if found.source.kind is SourceKind.STATEFULSET else "0",
    }
    spec = objects.spec(item)
    template = _annotated(spec["template"], {existing.HAZELCAST_CLUSTER: topology.cluster_name})
    waiting = [_with_env(one, env) for one in template["spec"].get("initContainers") or []]
    template = {**template, "spec": {**template["spec"], "initContainers": waiting}}
    return {**item, "spec": {**spec, "template": template}}


def _with_env(container: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    added = [{"name": name, "value": value} for name, value in env.items()]
    return {**container, "env": [*(container.get("env") or []), *added]}
