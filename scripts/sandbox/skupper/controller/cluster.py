"""The controller's cache of one cluster's objects, and writes to its API server."""

from __future__ import annotations

import json
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
    (DEPLOYMENTS, "skupper.io/component"),
    (CONFIG_MAPS, "internal.skupper.io/router-config"),
    (PORT_FORWARDS, ""),
)
"""The watched kinds, each with its label selector."""


_SELECTORS = dict(WATCHED)


class Cluster:
    """A cache of one API server's objects, updated by watches and by the responses to own writes.

    Its objects are never changed in place: copy one before changing it.
    """

    def __init__(self, name: str, kube: Kube) -> None:
        self.name = name
        self.kube = kube
        self.blocked_until = 0.0
        """The controller waits for a URL until then, and handles nothing else (monotonic seconds)."""
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

    # Events

    def handle(self, resource: Resource, event: WatchEvent) -> None:
        """Applies an event, unless the cache has a newer version from an own write."""
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
            obj.setdefault("spec", {})  # it is optional in a Site and an AccessGrant
        kind = self._objects.setdefault(resource.plural, {})
        known = kind.get(key_of(obj))
        if known is None or _version(known) <= _version(obj):
            kind[key_of(obj)] = obj

    # Writes

    def create(self, resource: Resource, obj: Obj) -> Obj:
        """Creates the object. ConflictError when it exists."""
        made = self.kube.create(resource, obj)
        log.info("%s: made %s %s", self.name, resource.kind, "/".join(key_of(made)))
        self._remember(resource, made)
        return made

    def ensure(self, resource: Resource, obj: Obj) -> Obj | None:
        """The object of that name, created if there is none. None when it has another owner.

        A new owner of the same name has to wait until the garbage collector has removed the old one's objects.
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

    def ensure_spec(self, resource: Resource, obj: Obj) -> Obj | None:
        """The same, with the spec updated where it differs."""
        known = self.ensure(resource, obj)
        if known is not None and known["spec"] != obj["spec"]:
            return self.replace(resource, {**known, "spec": obj["spec"]})
        return known

    def merge(self, resource: Resource, obj: Obj) -> bool:
        """Changes or creates an object of a kind that is not watched; False when its namespace is being deleted."""
        namespace, name = key_of(obj)
        try:
            self.kube.patch(resource, namespace, name, {key: obj[key] for key in obj if key != "metadata"})
        except NotFoundError:
            return self.ensure(resource, obj) is not None
        return True

    def replace(self, resource: Resource, obj: Obj) -> Obj | None:
        """Writes a changed copy of a known object; None on a conflict or when it is gone."""
        return self._put(resource, obj, "")

    @contextmanager
    def status_of(self, resource: Resource, obj: Obj) -> Iterator[Obj]:
        """Yields the object with a copy of its status, and then writes that if the block has changed it."""
        fresh = dict(obj)
        if obj.get("status"):
            fresh["status"] = json.loads(json.dumps(obj["status"]))  # much faster than copy.deepcopy
        yield fresh
        if (fresh.get("status") or {}) != (obj.get("status") or {}):
            self.set_status(resource, fresh)

    def set_status(self, resource: Resource, obj: Obj) -> Obj | None:
        """Writes the status of a changed copy; after a conflict once more, on the object's current version."""
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
        """Deletes the object with this uid."""
        namespace, name = key_of(obj)
        if self.kube.delete(resource, namespace, name, uid=obj["metadata"]["uid"]):
            log.info("%s: deleted %s %s/%s", self.name, resource.kind, namespace, name)
        self._objects.get(resource.plural, {}).pop((namespace, name), None)
        self._gone[obj["metadata"]["uid"]] = _version(obj)


def is_ending(err: KubeError) -> bool:
    """Whether the error says that the namespace is being deleted or gone."""
    return (err.code == 403 and "being terminated" in err.message) or (err.code == 404 and "namespaces " in err.message)


def owner(obj: Obj) -> Objs:
    """The ownerReferences of an object that the garbage collector deletes with `obj`."""
    meta = obj["metadata"]
    return [{"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"]}]


def labels_match(selector: Obj, obj: Obj) -> bool:
    """Whether an object has all these labels."""
    labels = obj["metadata"].get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _is_watched(resource: Resource, obj: Obj) -> bool:
    """Whether a watch reports the object's changes; others are not cached."""
    key, _, value = _SELECTORS.get(resource, "-").partition("=")
    labels = obj["metadata"].get("labels") or {}
    return not key or (key in labels and value in ("", labels[key]))


def _owners(obj: Obj) -> set[str]:
    return {ref["uid"] for ref in obj["metadata"].get("ownerReferences") or []}


def _version(obj: Obj) -> int:
    """Versions of one API server increase over all kinds."""
    return int(obj["metadata"]["resourceVersion"])
