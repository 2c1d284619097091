"""One cluster as the stand-in's controller sees it: what its watches reported, and writes to its API server."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.api.client import Kube
from sandbox.api.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    PORT_FORWARDS,
    SECRETS,
    SERVICES,
    ConflictError,
    KubeError,
    NotFoundError,
    Obj,
    Objs,
    Resource,
    WatchEvent,
    key_of,
)
from sandbox.skupper.controller import kinds

log = logging.getLogger(__name__)

WATCHED: tuple[tuple[Resource, str], ...] = (
    (kinds.SITES, ""),
    (kinds.LISTENERS, ""),
    (kinds.CONNECTORS, ""),
    (kinds.LINKS, ""),
    (kinds.GRANTS, ""),
    (kinds.TOKENS, ""),
    (kinds.ROUTER_ACCESSES, ""),
    (kinds.SECURED_ACCESSES, ""),
    (kinds.CERTIFICATES, ""),
    (SERVICES, ""),
    (SECRETS, ""),
    (PODS, ""),
    (DEPLOYMENTS, "skupper.io/component=router"),
    (CONFIG_MAPS, "internal.skupper.io/router-config"),
    (PORT_FORWARDS, ""),
)
"""What is watched, each with the label selector that narrows it."""


_SELECTORS = dict(WATCHED)


class Cluster:
    """A cache of one API server's objects, kept by watches and by the answers to own writes.

    Objects in it are never changed in place; `copy.deepcopy` one before changing it.
    """

    def __init__(self, name: str, kube: Kube) -> None:
        self.name = name
        self.kube = kube
        self.blocked_until = 0.0
        """While a URL does not answer, the real controller handles nothing else (monotonic seconds)."""
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {}
        self._gone: dict[str, int] = {}

    # Reads

    def all(self, resource: Resource, namespace: str = "") -> Objs:
        """The known objects of a kind, oldest first."""
        found = [
            obj
            for (where, _), obj in self._objects.get(resource.plural, {}).items()
            if not namespace or where == namespace
        ]
        return sorted(found, key=lambda obj: (obj["metadata"]["creationTimestamp"], key_of(obj)))

    def get(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """The known object of that name."""
        return self._objects.get(resource.plural, {}).get((namespace, name))

    # What the watches report

    def handle(self, resource: Resource, event: WatchEvent) -> None:
        """Takes in a change, unless an own write has already brought something newer."""
        if event.type == "SYNCED":
            return
        key, version = key_of(event.object), _version(event.object)
        uid = event.object["metadata"]["uid"]
        if event.type == "DELETED":
            known = self._objects.get(resource.plural, {}).get(key)
            if known is not None and known["metadata"]["uid"] == uid:
                del self._objects[resource.plural][key]
            self._gone[uid] = version
        else:
            self._remember(resource, event.object)

    def _remember(self, resource: Resource, obj: Obj) -> None:
        if not _is_watched(resource, obj) or obj["metadata"]["uid"] in self._gone:
            return
        if resource.group == kinds.GROUP:
            obj.setdefault("spec", {})  # a Site or an AccessGrant may well have none
        kind = self._objects.setdefault(resource.plural, {})
        known = kind.get(key_of(obj))
        if known is None or _version(known) <= _version(obj):
            kind[key_of(obj)] = obj

    # Writes

    def create(self, resource: Resource, obj: Obj) -> Obj:
        """Makes the object. ConflictError when there is one already."""
        made = self.kube.create(resource, obj)
        log.info("%s: made %s %s", self.name, resource.kind, "/".join(key_of(made)))
        self._remember(resource, made)
        return made

    def ensure(self, resource: Resource, obj: Obj) -> Obj | None:
        """The object of that name, made if there is none. None when one belongs to another owner.

        An owner that was deleted and made anew has to wait until the garbage collector took the old one's.
        """
        known = self.get(resource, *key_of(obj))
        if known is None:
            try:
                return self.create(resource, obj)
            except ConflictError:
                known = self.kube.get(resource, *key_of(obj))
                if known is None:
                    return None
                self._remember(resource, known)
            except KubeError as err:
                if is_ending(err):
                    return None
                raise
        return known if _owners(known) >= _owners(obj) else None

    def merge(self, resource: Resource, obj: Obj) -> bool:
        """Changes an object of a kind that is not watched, or makes it; false when its namespace is ending."""
        namespace, name = key_of(obj)
        try:
            self.kube.patch(resource, namespace, name, {key: obj[key] for key in obj if key != "metadata"})
        except NotFoundError:
            return self.ensure(resource, obj) is not None
        return True

    def replace(self, resource: Resource, obj: Obj) -> Obj | None:
        """Writes a changed copy of a known object; None when it was changed or removed meanwhile."""
        return self._put(resource, obj, "")

    @contextmanager
    def status_of(self, resource: Resource, obj: Obj) -> Iterator[Obj]:
        """Gives a copy of the object, and writes its status if the block has changed it."""
        fresh = copy.deepcopy(obj)
        yield fresh
        if (fresh.get("status") or {}) != (obj.get("status") or {}):
            self.set_status(resource, fresh)

    def set_status(self, resource: Resource, obj: Obj) -> Obj | None:
        """Writes the status of a changed copy; on a conflict once more over what the object is now."""
        written = self._put(resource, obj, "status")
        if written is not None:
            return written
        fresh = self.kube.get(resource, *key_of(obj))
        if fresh is None or fresh["metadata"]["uid"] != obj["metadata"]["uid"]:
            return None
        return self._put(resource, {**fresh, "status": obj["status"]}, "status")

    def _put(self, resource: Resource, obj: Obj, subresource: str) -> Obj | None:
        try:
            written = self.kube.update(resource, obj, subresource)
        except (ConflictError, NotFoundError):
            return None
        self._remember(resource, written)
        return written

    def delete(self, resource: Resource, obj: Obj) -> None:
        """Removes that very object (not one of the same name)."""
        namespace, name = key_of(obj)
        if self.kube.delete(resource, namespace, name, uid=obj["metadata"]["uid"]):
            log.info("%s: deleted %s %s/%s", self.name, resource.kind, namespace, name)
        self._objects.get(resource.plural, {}).pop((namespace, name), None)
        self._gone[obj["metadata"]["uid"]] = _version(obj)


def is_ending(err: KubeError) -> bool:
    """Whether nothing can be made because the namespace is being deleted, or is gone."""
    return (err.code == 403 and "being terminated" in err.message) or (err.code == 404 and "namespaces " in err.message)


def draft(obj: Obj) -> Obj:
    """A copy that may be changed."""
    return copy.deepcopy(obj)


def owner(obj: Obj) -> Objs:
    """The ownerReferences with which the garbage collector takes an object together with `obj`."""
    meta = obj["metadata"]
    return [{"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"]}]


def labels_match(selector: Obj, obj: Obj) -> bool:
    """Whether an object has all these labels."""
    labels = obj["metadata"].get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _is_watched(resource: Resource, obj: Obj) -> bool:
    """Whether the watches would report what becomes of it: only then may it be kept."""
    key, _, value = _SELECTORS.get(resource, "-").partition("=")
    labels = obj["metadata"].get("labels") or {}
    return not key or (key in labels and value in ("", labels[key]))


def _owners(obj: Obj) -> set[str]:
    return {ref["uid"] for ref in obj["metadata"].get("ownerReferences") or []}


def _version(obj: Obj) -> int:
    """Versions of one API server only grow, whatever the kind."""
    return int(obj["metadata"]["resourceVersion"])
