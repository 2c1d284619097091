"""Marks of the Services that carry the names into application namespaces, and of where they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hzlink.model import objects
from hzlink.model.objects import Object
from hzlink.model.probe_labels import COMPONENT

APP_NAMES = "app-names"
"""The value of the label `app.kubernetes.io/component` on these Services."""

ANNOTATION = "hzlink.io/app-namespaces"
"""On the Listener or Connector: the namespaces with these Services, so that any later run finds them."""


def is_app_name(item: Object, topology_name: str) -> bool:
    """Whether hzlink made this object in an application namespace, for this topology."""
    return objects.is_ours(item, topology_name) and objects.labels(item).get(COMPONENT) == APP_NAMES


def recorded(items: Iterable[Object], service: str, topology_name: str) -> tuple[str, ...]:
    """The namespaces in the annotation of the topology's Listener or Connector."""
    for item in items:
        offers = item.get("kind") in ("Listener", "Connector") and objects.name(item) == service
        if offers and objects.is_ours(item, topology_name):
            annotations = (item.get("metadata") or {}).get("annotations") or {}
            return tuple(filter(None, str(annotations.get(ANNOTATION) or "").split(",")))
    return ()
