"""A fake API server for kubectl to talk to, on 127.0.0.1: a few fixed answers, and a record of requests.

It supports discovery, lists, single objects and a watch that never ends: enough for hzlink to read a site. It stores
the Lease that is hzlink's lock and refuses all other writes. The tests assert that only the lock was written.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hzlink.model.objects import RESOURCES, Object
from hzlink.support.dump import KINDS as DUMPED

Answer = Callable[["Request"], None]

ALL = RESOURCES | DUMPED
# The version of each API group whose kinds hzlink uses.
VERSIONS = {resource.partition(".")[2]: "v1" for resource in ALL.values() if "." in resource}
VERSIONS["skupper.io"] = "v2alpha1"
# Kind by (group, plural).
KINDS = {(resource.partition(".")[2], resource.partition(".")[0]): kind for kind, resource in ALL.items()}


REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
VERSIONS["authorization.k8s.io"] = "v1"
# The addresses of the running servers without faults, which kubectl_answers.py may ask.
SOUND: set[str] = set()
# A user who may do anything.
ALL_RIGHTS = ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},)


class FakeApi:
    """The server's answers, and the requests it received."""

    def __init__(
        self,
        answer: Answer | None = None,
        items: Sequence[Object] = (),
        *,
        skupper: bool = True,
        namespaces: Sequence[str] = ("hz",),
        labels: Mapping[str, str] | None = None,
        rules: Sequence[Mapping[str, Any]] = ALL_RIGHTS,
        logs: Mapping[tuple[str, str, bool], str] | None = None,
        tls: bool = False,
    ) -> None:
        self.tls = tls
        # By pod, container, and whether it is the log of the previous run.
        self.logs = logs or {}
        self.answer = answer
        self.items = list(items)
        self.namespaces = namespaces
        self.labels = dict(labels or {})
        self.rules = list(rules)
        self.groups = [group for group in VERSIONS if skupper or group != "skupper.io"]
        self.requests: list[tuple[str, str]] = []
        self.leases: dict[str, dict[str, Any]] = {}
        self.over = threading.Event()
        self.url = ""

    @property
    def methods(self) -> set[str]:
        """The methods of all requests so far, except those of the lock: {"GET"} if nothing was written.

        A SelfSubjectRulesReview is left out, too: it is a POST that stores nothing.
        """
        return {method for method, path in self.requests if not _is_of_lease(path) and not path.startswith(REVIEWS)}

    def answer_with(self, answer: Answer) -> None:
        """From now on every request gets this answer."""
        SOUND.discard(self.url)
        self.answer = answer

    @contextmanager
    def running(self) -> Iterator[FakeApi]:
        """Serves until the block is left."""
        api = self

        class Handler(Request):
            """Requests to this server."""

            served = api

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{server.server_address[1]}"
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(_certificate())
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        if self.answer is None and not self.tls and len(self.groups) == len(VERSIONS):
            SOUND.add(self.url)
        try:
            yield self
        finally:
            SOUND.discard(self.url)
            self.over.set()
            server.shutdown()
            server.server_close()
            thread.join()


@cache
def _certificate() -> Path:
    """A file with a new key and a certificate for 127.0.0.1: kubectl sends no credentials without TLS."""
    openssl = shutil.which("openssl", path=REAL_PATH)
    assert openssl, "these tests need openssl on the PATH"
    folder = Path(tempfile.mkdtemp(prefix="hzlink-test-certificate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file, key = folder / "certificate.pem", folder / "key.pem"
    made = ("-x509", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(file))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    subprocess.run([openssl, "req", *curve, *made], check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


# Before any test changes it.
REAL_PATH = os.environ.get("PATH")


class Request(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    # Otherwise each body waits 40 ms until the client has acknowledged the headers.
    disable_nagle_algorithm = True
    served: FakeApi

    def handle_one_request(self) -> None:
        """Any method at all."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        # As a proxy it is asked for a whole address.
        self.path = re.sub(r"^http://[^/]+", "", self.path)
        # Also of a request that is refused: otherwise its body would be taken for the connection's next request.
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.served.requests.append((self.command, self.path))
        if self.served.answer is not None:
            self.served.answer(self)
        else:
            self.well()

    def well(self) -> None:
        """The answer of a working server."""
        if _is_of_lease(self.path):
            self._lease()
        elif self.command == "POST" and self.path.startswith(REVIEWS):
            self._review()
        elif self.command != "GET":
            self.status(405, "MethodNotAllowed", "this server is only read")
        else:
            self._get()

    def send(self, document: dict[str, Any], code: int = 200) -> None:
        """Sends a JSON answer."""
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def status(self, code: int, reason: str, message: str) -> None:
        """A refusal, as a Kubernetes Status object."""
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        self.send({**status, "reason": reason, "message": message, "code": code}, code)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""

    def _lease(self) -> None:
        leases = self.served.leases
        body = json.loads(self.body or "{}")
        name = urlsplit(self.path).path.rpartition("/leases")[2].strip("/") or body.get("metadata", {}).get("name", "")
        match self.command:
            case "GET" if not name:
                self.send({"kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1", "items": [*leases.values()]})
            case "POST" if name in leases:
                self.status(409, "AlreadyExists", f'leases.coordination.k8s.io "{name}" already exists')
            case "POST" | "PUT":
                mark = {"uid": name, "resourceVersion": str(len(self.served.requests)), "namespace": "hz"}
                leases[name] = {**body, "metadata": {**body["metadata"], **mark}}
                self.send(leases[name])
            case _ if name not in leases:
                self.status(404, "NotFound", f'leases.coordination.k8s.io "{name}" not found')
            case "GET":
                self.send(leases[name])
            case "DELETE":
                del leases[name]
                self.send({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _get(self) -> None:
        address = urlsplit(self.path)
        parts = [part for part in address.path.split("/") if part]
        if discovery := self._discovery(parts):
            self.send(discovery)
            return
        match parts:
            case ["api", "v1", *rest]:
                group, version = "", "v1"
            case ["apis", group, number, *rest]:
                version = f"{group}/{number}"
            case _:
                rest, group, version = [], "", ""
        if len(rest) > 2 and rest[0] == "namespaces":
            rest = rest[2:]
        kind = KINDS.get((group, rest[0])) if rest else None
        if kind is None:
            self.status(404, "NotFound", "the server could not find the requested resource")
        elif kind == "Pod" and rest[2:] == ["log"]:
            self._log(rest[1], parse_qs(address.query))
        elif len(rest) > 1:
            self._one(kind, rest[0], rest[1], version)
        elif "watch" in parse_qs(address.query):
            self._watch(kind, version)
        else:
            self.send({"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": self._of(kind, version)})

    def _review(self) -> None:
        status = {"resourceRules": self.served.rules, "nonResourceRules": [], "incomplete": False}
        kind = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
        self.send({**kind, "status": status}, 201)

    def _discovery(self, parts: list[str]) -> dict[str, Any] | None:
        groups = self.served.groups
        match parts:
            case ["version"]:
                return {"major": "1", "minor": "37", "gitVersion": "v1.37.2"}
            case ["api"]:
                return {"kind": "APIVersions", "versions": ["v1"]}
            case ["apis"]:
                return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in groups]}
            case ["api", "v1"]:
                return _resources("", "v1")
            case ["apis", group, version] if group in groups and VERSIONS[group] == version:
                return _resources(group, f"{group}/{version}")
        return None

    def _of(self, kind: str, version: str) -> list[dict[str, Any]]:
        return [{**item, "apiVersion": version} for item in self.served.items if item["kind"] == kind]

    def _one(self, kind: str, plural: str, name: str, version: str) -> None:
        if kind == "Namespace" and name in self.served.namespaces:
            self.send(
                {
                    "kind": kind,
                    "apiVersion": version,
                    "metadata": {"name": name, "uid": f"{self.served.url}/{name}", "labels": self.served.labels},
                }
            )
            return
        found = [item for item in self._of(kind, version) if item["metadata"]["name"] == name]
        if found:
            self.send(found[0])
        else:
            self.status(404, "NotFound", f'{plural} "{name}" not found')

    def _log(self, pod: str, query: Mapping[str, Sequence[str]]) -> None:
        container = query.get("container", [""])[0]
        text = self.served.logs.get((pod, container, "previous" in query))
        if text is None:
            self.status(400, "BadRequest", f'container "{container}" in pod "{pod}" is waiting to start')
            return
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self, kind: str, version: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for item in self._of(kind, version):
            line = json.dumps({"type": "ADDED", "object": item}).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
        self.served.over.wait()
        self.close_connection = True


def _is_of_lease(path: str) -> bool:
    return "/leases" in urlsplit(path).path


def _group(group: str) -> dict[str, Any]:
    version = {"groupVersion": f"{group}/{VERSIONS[group]}", "version": VERSIONS[group]}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resources(group: str, version: str) -> dict[str, Any]:
    resources = [
        {"name": plural, "singularName": "", "namespaced": kind != "Namespace", "kind": kind, "verbs": ["get", "list"]}
        for (of, plural), kind in KINDS.items()
        if of == group
    ]
    if group == "authorization.k8s.io":
        kind = "SelfSubjectRulesReview"
        resources = [
            {
                "name": "selfsubjectrulesreviews",
                "singularName": "",
                "namespaced": False,
                "kind": kind,
                "verbs": ["create"],
            }
        ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def unauthorized(request: Request) -> None:
    """Rejects the user's credentials."""
    request.status(401, "Unauthorized", "Unauthorized")


def forbidden(request: Request) -> None:
    """Forbids every request in a namespace."""
    if "/namespaces/" not in request.path:
        request._get()
        return
    message = 'sites.skupper.io is forbidden: User "ann" cannot list resource "sites" in API group "skupper.io"'
    request.status(403, "Forbidden", message)


def silent(request: Request) -> None:
    """Accepts the request and never answers."""
    request.served.over.wait()
    request.close_connection = True


def garbage(request: Request) -> None:
    """A web server that is not an API server."""
    body = b"<html>\x1b[2Jcoffee machine</html>"
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
