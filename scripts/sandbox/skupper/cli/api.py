"""The API server calls of the command, with client-go's error messages."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from sandbox.api.kinds import Obj, Objs, Resource
from sandbox.api.kubeconfig import Access

_HELP = (
    "The Skupper CRDs are not yet installed. To install them, run\n"
    '"kubectl apply -f https://skupper.io/v2/install.yaml"'
)
_MISSING = "the server could not find the requested resource "
_SECONDS = 30.0


class ApiError(Exception):
    """A call failed or was refused."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


def crd_hint(error: ApiError) -> str:
    """The error's text, or how to install Skupper when its definitions are missing."""
    return _HELP if str(error).split("(")[0] == _MISSING else str(error)


class Failed(Exception):
    """Ends the command with this text on stdout, where the real command prints its own errors: exit 1."""

    code = 1


class InvalidError(Failed):
    """Validation refuses the arguments or the state of the namespace: exit 2."""

    code = 2


class Api:
    """One namespace of one API server."""

    def __init__(self, access: Access, namespace: str) -> None:
        self.namespace = namespace or access.namespace
        self._access = access
        self._connection = _connect(access)

    def list(self, resource: Resource) -> Objs:
        """All objects of a kind."""
        items: Objs = self._call("GET", "get", resource, "").get("items", [])
        return items

    def get(self, resource: Resource, name: str) -> Obj:
        """One object. ApiError with code 404 if there is none."""
        return self._call("GET", "get", resource, name)

    def create(self, resource: Resource, obj: Obj) -> Obj:
        """Creates an object."""
        return self._call("POST", "post", resource, "", obj)

    def _call(self, method: str, verb: str, resource: Resource, name: str, body: Obj | None = None) -> Obj:
        path = resource.path(self.namespace, name or None)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        try:
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as err:
            self._connection.close()
            raise ApiError(f'{method.title()} "{self._access.server}{path}": {self._reason(err)}') from err
        if response.status < 400:
            return dict(json.loads(raw))
        raise ApiError(_message(raw, response.status, verb, resource, name), response.status)

    def _reason(self, err: Exception) -> str:
        where = urlsplit(self._access.server)
        address = f"{where.hostname}:{where.port or 443}"
        if isinstance(err, ConnectionRefusedError):
            return f"dial tcp {address}: connect: connection refused"
        if isinstance(err, TimeoutError):
            return f"dial tcp {address}: i/o timeout"
        return f"dial tcp {address}: {err}"


def _connect(access: Access) -> http.client.HTTPConnection:
    where = urlsplit(access.server)
    host = where.hostname or ""
    if access.tls is None:
        return http.client.HTTPConnection(host, where.port or 80, timeout=_SECONDS)
    return http.client.HTTPSConnection(host, where.port or 443, timeout=_SECONDS, context=access.tls)


def _message(raw: bytes, code: int, verb: str, resource: Resource, name: str) -> str:
    try:
        message = json.loads(raw)["message"]
    except (ValueError, KeyError, TypeError):
        message = ""
    if code == 404 and (not message or message == "404 page not found"):
        tail = f" {name}" if name else ""
        return f"{_MISSING}({verb} {resource.plural}.{resource.group}{tail})"
    return message or raw.decode(errors="replace").strip()
