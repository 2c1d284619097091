"""Gives the objects of the bundled manifests the names of a topology's own Service. Pure.

The manifests are complete with the name `hazelcast`, so that `kubectl apply -k` works without hzlink. A kustomize name
prefix would also rename the Skupper Site, and reaches neither label selectors, routing keys nor texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hzlink.model.objects import Object
from hzlink.model.topology import DEFAULT_SERVICE, Topology

# Keys whose value is a name of the manifests: the `app` label, StatefulSet.spec.serviceName, Listener.spec.host and
# the routing key of Listener and Connector.
_KEYS = ("app", "serviceName", "host", "routingKey")
# Mappings whose `name` is the name of an object. Other names, such as those of containers and ports, stay.
_REFERENCES = ("metadata", "configMap")
# The Skupper Site is shared by all topologies in a namespace. Its name is the site's.
_KEPT = ("Site",)
# Within texts: Java system properties, Connector.spec.selector, and in the files of Management Center's ConfigMap the
# name of the Service and the names of the members.
_IN_TEXTS = re.compile(
    rf"(?P<before>-DserviceName=|\bapp=|\bservice-dns: ){DEFAULT_SERVICE}(?![\w.-])|\b{DEFAULT_SERVICE}(?=-\$i\b|-0\b)"
)


def renamed(item: Object, topology: Topology) -> Object:
    """The object with the topology's names instead of the manifests'; unchanged if they are the same."""
    if topology.service == DEFAULT_SERVICE or item.get("kind") in _KEPT:
        return item
    changed: Object = _walk(item, "", topology.service)
    return changed


def _walk(value: Any, parent: str, service: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _entry(str(key), inner, parent, service) for key, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, parent, service) for inner in value]
    return _in_text(value, service) if isinstance(value, str) else value


def _entry(key: str, value: Any, parent: str, service: str) -> Any:
    if isinstance(value, str) and (key in _KEYS or (key == "name" and parent in _REFERENCES)):
        return _name(value, service)
    return _walk(value, key, service)


def _name(name: str, service: str) -> str:
    """A name of the manifests: the Service's own, or one that begins with it, such as `hazelcast-config`."""
    if name != DEFAULT_SERVICE and not name.startswith(f"{DEFAULT_SERVICE}-"):
        return name
    return service + name.removeprefix(DEFAULT_SERVICE)


def _in_text(text: str, service: str) -> str:
    return _IN_TEXTS.sub(lambda found: (found["before"] or "") + service, text)
