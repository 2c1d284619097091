"""A small, synchronous client for a Kubernetes API server, for the sandbox's own programs.

hzlink itself runs kubectl; the sandbox's controllers need cheap watches and status writes. Objects are dictionaries, as
the server sends them. Methods may be called from several threads.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import httpx

from sandbox.api.kinds import (
    ConflictError,
    KubeError,
    NotFoundError,
    Obj,
    Objs,
    Resource,
    UnreachableError,
    WatchEvent,
    error_from,
    key_of,
)
from sandbox.api.kubeconfig import Access, load

_REQUEST_TIMEOUT = httpx.Timeout(10.0)
# The server ends a watch after this many seconds and the client starts the next one, so that a dead server or a lost
# connection is noticed in a bounded time.
_WATCH_SECONDS = 240


class Kube:
    """One API server, with the credentials of one kubeconfig context."""

    def __init__(self, access: Access) -> None:
        self.server = access.server
        self.namespace = access.namespace
        self._open: set[httpx.Response] = set()
        self._closed = threading.Event()
        self._http = httpx.Client(
            base_url=access.server,
            verify=access.tls if access.tls is not None else False,
            timeout=_REQUEST_TIMEOUT,
            # httpx counts the open watches, too, when it decides how many connections to keep: with a number, it would
            # open a new one for each request. A connection never expires: httpx may close one that expires just when
            # another thread takes it, whose request then fails with `Bad file descriptor` (seen in httpcore 1.0).
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "hzlink-sandbox"},
            trust_env=False,
        )

    @classmethod
    def from_kubeconfig(cls, path: Path, context: str) -> Kube:
        """The client for a context, by its client certificate. ConfigError when there is no such context."""
        return cls(load([path], context))

    def close(self) -> None:
        """Ends every open watch (their iterators return) and the connections."""
        self._closed.set()
        for response in list(self._open):
            _shutdown(response)
        self._http.close()

    # Reads

    def get(self, resource: Resource, namespace: str | None, name: str) -> Obj | None:
        """The object, or None when it is not there."""
        try:
            return self.request("GET", resource.path(namespace, name))
        except NotFoundError:
            return None

    def list(self, resource: Resource, namespace: str | None = None, selector: str = "") -> Objs:
        """The objects of one namespace, or of all; `selector` is a label selector."""
        body = self.request("GET", resource.path(namespace), params=_selector(selector))
        return [_typed(resource, item) for item in body["items"]]

    def watch(self, resource: Resource, namespace: str | None = None, selector: str = "") -> Iterator[WatchEvent]:
        """Every object and then every change. Without an answer it retries, and lists all objects again.

        Each list is followed by one SYNCED event. Objects that were deleted between watches are reported as DELETED
        with their last known content; unchanged ones are not reported twice. Ends only by `close()`.
        """
        known: dict[tuple[str, str], Obj] = {}
        backoff = 0.2
        while not self._closed.is_set():
            try:
                version = yield from self._relist(resource, namespace, selector, known)
                backoff = 0.2
                yield from self._follow(resource, namespace, selector, known, version)
            except NotFoundError:
                # The kind's definition is not installed.
                yield from _deletions(known, set())
            except (KubeError, httpx.HTTPError, RuntimeError):
                if self._closed.is_set():
                    return
            self._closed.wait(backoff)
            backoff = min(backoff * 2, 2.0)

    # Writes

    def create(self, resource: Resource, obj: Obj) -> Obj:
        """Creates the object in the namespace of its metadata. ConflictError when it exists."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return self.request("POST", resource.path(obj["metadata"].get("namespace")), body=body)

    def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        """Replaces the object (or its subresource); ConflictError if its resourceVersion is out of date."""
        namespace, name = key_of(obj)
        return self.request("PUT", resource.path(namespace, name, subresource), body=obj)

    def apply(self, resource: Resource, obj: Obj, manager: str = "sandbox") -> Obj:
        """Server-side apply with force: takes over fields of other managers."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        namespace, name = obj["metadata"].get("namespace"), obj["metadata"]["name"]
        return self.request(
            "PATCH",
            resource.path(namespace, name),
            body=body,
            params={"fieldManager": manager, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Obj | Objs,
        *,
        subresource: str = "",
        how: Literal["merge", "json"] = "merge",
    ) -> Obj:
        """Changes part of an object by a merge patch or a JSON patch. NotFoundError when it is gone."""
        path = resource.path(namespace, name, subresource)
        return self.request("PATCH", path, body=body, content_type=f"application/{how}-patch+json")

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        grace: int | None = None,
        uid: str | None = None,
        version: str | None = None,
    ) -> bool:
        """Requests deletion (only of this uid and resourceVersion, if given); False when there is no such object."""
        options: Obj = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        wanted = {"uid": uid, "resourceVersion": version}
        options["preconditions"] = {key: value for key, value in wanted.items() if value is not None}
        try:
            self.request("DELETE", resource.path(namespace, name), body=options)
        except NotFoundError:
            return False
        except ConflictError:
            if not options["preconditions"]:
                raise
            return False
        return True

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """One call by path. KubeError unless the status is 2xx."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if content is not None else {}
        try:
            response = self._http.request(method, path, content=content, params=params, headers=headers)
        except (httpx.HTTPError, RuntimeError) as err:  # RuntimeError: `close` was called
            raise UnreachableError(0, "Unreachable", f"{self.server}: {err!r}") from err
        if response.is_error:
            raise error_from(response.status_code, response.content)
        return _object(response.content)

    # Watches

    def _relist(
        self, resource: Resource, namespace: str | None, selector: str, known: dict[tuple[str, str], Obj]
    ) -> Generator[WatchEvent, None, str]:
        body = self.request("GET", resource.path(namespace), params=_selector(selector))
        items = {key_of(item): _typed(resource, item) for item in body["items"]}
        yield from _deletions(known, set(items))
        for key, item in items.items():
            before = known.get(key)
            if before is not None and _version(before) == _version(item):
                continue
            known[key] = item
            yield WatchEvent("ADDED" if before is None else "MODIFIED", item)
        yield WatchEvent("SYNCED", {})
        return str(body["metadata"]["resourceVersion"])

    def _follow(
        self,
        resource: Resource,
        namespace: str | None,
        selector: str,
        known: dict[tuple[str, str], Obj],
        version: str,
    ) -> Iterator[WatchEvent]:
        """Yields the changes after `version`, over many watch calls; returns when a new list is needed."""
        while not self._closed.is_set():
            started = time.monotonic()
            params = {
                **_selector(selector),
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": version,
                "timeoutSeconds": str(_WATCH_SECONDS),
            }
            for raw in self._stream(resource.path(namespace), params):
                kind, item = raw["type"], raw["object"]
                if kind == "ERROR":
                    return  # most often 410 Gone: the version is too old
                version = _version(item)
                if kind == "BOOKMARK":
                    continue
                _update_known(known, kind, item)
                yield WatchEvent(kind, item)
            if time.monotonic() - started < 1.0:
                self._closed.wait(0.2)  # so that a server that ends watches at once causes no busy loop

    def _stream(self, path: str, params: Mapping[str, str]) -> Iterator[Obj]:
        timeout = httpx.Timeout(10.0, read=_WATCH_SECONDS + 30.0)
        with self._http.stream("GET", path, params=params, timeout=timeout) as response:
            if response.is_error:
                raise error_from(response.status_code, response.read())
            self._open.add(response)
            try:
                for line in response.iter_lines():
                    if line:
                        yield _object(line)
            finally:
                self._open.discard(response)


def _update_known(known: dict[tuple[str, str], Obj], kind: str, item: Obj) -> None:
    if kind == "DELETED":
        known.pop(key_of(item), None)
    else:
        known[key_of(item)] = item


def _deletions(known: dict[tuple[str, str], Obj], present: set[tuple[str, str]]) -> Iterator[WatchEvent]:
    for key in [key for key in known if key not in present]:
        yield WatchEvent("DELETED", known.pop(key))


def _version(obj: Obj) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _typed(resource: Resource, item: Obj) -> Obj:
    """The item with apiVersion and kind, which items of a list lack."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def _selector(selector: str) -> dict[str, str]:
    return {"labelSelector": selector} if selector else {}


def _object(raw: bytes | str) -> Obj:
    decoded = json.loads(raw)
    if not isinstance(decoded, dict):
        raise KubeError(0, "BadAnswer", "the API server did not answer with an object")
    return decoded


def _shutdown(response: httpx.Response) -> None:
    """Ends the read of a thread that waits for this response; closing the response would not."""
    stream = response.extensions.get("network_stream")
    sock = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
