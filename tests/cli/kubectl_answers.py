"""Answers calls of kubectl within hzlink's process, with the output that kubectl would print.

A start of kubectl takes most of the time of a run of hzlink against fake API servers. The answers come from the same
servers, by the same requests without the discovery. Everything that is not simple is left to the real kubectl: servers
with faults, credential plugins, proxies, watches, writes of more than the lock, errors of several objects.
test_kubectl_answers.py compares the answers with those of the real kubectl.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import yaml

from hzlink.model.objects import RESOURCES
from hzlink.programs import kubectl, process
from hzlink.support.dump import KINDS as DUMPED

LEASE = "Lease"
REVIEW = "SelfSubjectRulesReview"
# The API types that are asked for by name, and those that are created, as group and plural by kind.
_KINDS = {kind: resource.partition(".")[::2] for kind, resource in (RESOURCES | DUMPED).items()}
_PLURALS = dict(_KINDS.values())
_CREATED = {
    LEASE: "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
    REVIEW: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
}


class LeftToKubectl(Exception):
    """A call that only the real kubectl answers."""


@dataclass(frozen=True)
class Known:
    """What the test process knows.

    Attributes:
        kubectl: the real kubectl's path. Calls of another program are left to it.
        version: the document of `kubectl version --client`.
        servers: the addresses of fake API servers without faults.
    """

    kubectl: str
    version: Mapping[str, Any]
    servers: frozenset[str]


@dataclass(frozen=True)
class Response:
    """An HTTP response of a server."""

    code: int
    text: str

    @property
    def document(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)

    @property
    def refusal(self) -> str:
        """Kubectl's words for an error."""
        return f"Error from server ({self.document['reason']}): {self.document['message']}\n"


@dataclass(frozen=True)
class Call:
    """A call of kubectl: its words, its options, standard input, and the server that its context leads to."""

    words: tuple[str, ...]
    options: Mapping[str, str]
    stdin: str
    server: str
    token: str

    def request(self, method: str, path: str, body: str | None = None) -> Response:
        """Sends one request."""
        connection = HTTPConnection(urlsplit(self.server).netloc, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.read().decode())
        finally:
            connection.close()

    def placed(self, item: dict[str, Any], resource: str) -> dict[str, Any]:
        """An item of a list, with the namespace that was read."""
        if resource.partition(".")[0] == "namespaces":
            return item
        return {**item, "metadata": {"namespace": self.options["namespace"], **item["metadata"]}}

    def path(self, resource: str, name: str = "") -> str:
        """The path of a type as `PLURAL[.VERSION][.GROUP]`, or of an object of it."""
        plural, _, group = resource.partition(".")
        head, _, rest = group.partition(".")
        version = "v2alpha1" if group.endswith("skupper.io") else "v1"
        if head[:1] == "v" and head[1:2].isdigit():
            version, group = head, rest
        if plural not in _PLURALS or _PLURALS[plural] != group:
            raise LeftToKubectl
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        scope = "" if plural == "namespaces" else f"/namespaces/{self.options['namespace']}"
        return f"{root}{scope}/{plural}" + (f"/{quote(name)}" if name else "")


# Exit code, standard output, standard error.
Printed = tuple[int, str, str]


def install(known: Known) -> None:
    """Replaces `process.run`, in a process that runs one hzlink."""
    real = process.run

    async def run(argv: Sequence[str], **options: Any) -> process.Completed:
        began = time.monotonic()
        try:
            printed = await asyncio.to_thread(answer, known, argv, options.get("stdin"))
        except LeftToKubectl:
            return await real(argv, **options)
        done = process.Completed(tuple(argv), *printed, time.monotonic() - began)
        if process.trace:
            process.trace(argv, done.code, done.seconds)
        return done

    process.run = run


def answer(known: Known, argv: Sequence[str], stdin: str | None) -> Printed:
    """What kubectl prints.

    Raises:
        LeftToKubectl: see above.
    """
    call = _call(known, argv, stdin)
    if call.server not in known.servers and not _is_refused(call.server):
        raise LeftToKubectl
    if call.words == ("version",) and "output" in call.options:
        return _version(call, known.version)
    verb = _VERBS.get(call.words[0])
    if verb is None:
        raise LeftToKubectl
    try:
        return verb(call)
    except ConnectionRefusedError:
        return 1, "", _refused(call.server)


def _call(known: Known, argv: Sequence[str], stdin: str | None) -> Call:
    if os.path.realpath(argv[0]) != known.kubectl:
        raise LeftToKubectl
    words = tuple(arg for arg in argv[1:] if not arg.startswith("--"))
    options = {name: value for name, _, value in (arg[2:].partition("=") for arg in argv[1:] if arg.startswith("--"))}
    if not words or not {"context", "namespace"} <= options.keys():
        raise LeftToKubectl
    server, token = _place(options.get("kubeconfig", os.environ.get("KUBECONFIG", "")), options["context"])
    return Call(words, options, stdin or "", server, token)


@cache
def _place(kubeconfig: str, context: str) -> tuple[str, str]:
    """The server and the token of a context that needs nothing else."""
    try:
        config = yaml.safe_load(Path(kubeconfig).read_text())
        [entry] = [one["context"] for one in config["contexts"] if one["name"] == context]
        [cluster] = [one["cluster"] for one in config["clusters"] if one["name"] == entry["cluster"]]
        [user] = [one["user"] for one in config["users"] if one["name"] == entry["user"]]
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
        raise LeftToKubectl from None
    plain = cluster.keys() == {"server"} and user.keys() == {"token"}
    if not plain or not cluster["server"].startswith("http://127.0.0.1:"):
        raise LeftToKubectl
    return cluster["server"], user["token"]


@cache
def _is_refused(server: str) -> bool:
    """Whether nothing listens there. A server that accepts connections is one with faults."""
    try:
        connection = HTTPConnection(urlsplit(server).netloc, timeout=5)
        connection.connect()
        connection.close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False


def _refused(server: str) -> str:
    place = urlsplit(server).netloc
    return f"The connection to the server {place} was refused - did you specify the right host or port?\n"


def _print(document: Any) -> str:
    return json.dumps(document, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def _version(call: Call, client: Mapping[str, Any]) -> Printed:
    try:
        answered = call.request("GET", "/version?timeout=5s")
    except ConnectionRefusedError:
        return 1, _print_version(client), _refused(call.server)
    if answered.code != 200:
        raise LeftToKubectl
    empty = dict.fromkeys(("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"), "")
    server = {**answered.document, **empty}
    return 0, _print_version({**client, "serverVersion": server}), ""


def _print_version(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


def _get(call: Call) -> Printed:
    if raw := call.options.get("raw"):
        answered = call.request("GET", raw)
        return (0, answered.text, "") if answered.code == 200 else (1, "", answered.refusal)
    targets = call.words[1:]
    if call.options.keys() & {"watch", "no-headers"} or not targets:
        raise LeftToKubectl
    if "/" in targets[0]:
        return _get_objects(call, [target.split("/") for target in targets])
    if len(targets) > 1:
        raise LeftToKubectl
    query = {"fieldSelector": call.options.get("field-selector"), "labelSelector": call.options.get("selector")}
    items: list[Any] = []
    for resource in targets[0].split(","):
        path = f"{call.path(resource)}?{urlencode({key: value for key, value in query.items() if value})}"
        answered = call.request("GET", path)
        if answered.code != 200:
            raise LeftToKubectl
        items += [call.placed(item, resource) for item in answered.document["items"]]
    match call.options.get("output"):
        case "json" if not items and "ignore-not-found" in call.options:
            return 0, "", ""
        case "json":
            return 0, _print(_list(items)), ""
        case text if text == f"go-template={kubectl._NAMES_AND_KEYS}":
            return 0, "".join(map(_name_and_keys, items)), ""
    raise LeftToKubectl


def _list(items: list[Any]) -> Any:
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def _name_and_keys(item: Any) -> str:
    """One line of `kubectl._NAMES_AND_KEYS`."""
    return "\t".join([item["metadata"]["name"], item.get("type", "<no value>"), *sorted(item.get("data") or {})]) + "\n"


def _get_objects(call: Call, targets: Sequence[Sequence[str]]) -> Printed:
    if not {"output", "ignore-not-found"} <= call.options.keys() or call.options["output"] != "json":
        raise LeftToKubectl
    found = []
    for resource, name in targets:
        answered = call.request("GET", call.path(resource, name))
        if answered.code == 200:
            found.append(answered.document)
        elif answered.code != 404:
            raise LeftToKubectl
    if not found:
        return 0, "", ""
    return 0, _print(found[0] if len(targets) == 1 else _list(found)), ""


def _create(call: Call) -> Printed:
    item = json.loads(call.stdin)
    if item["kind"] == "List":
        [item] = item["items"]
    if item["kind"] not in _CREATED or call.options.get("output") != "json":
        raise LeftToKubectl
    path = _CREATED[item["kind"]].format(namespace=call.options["namespace"])
    try:
        answered = call.request("POST", path, json.dumps(item))
    except ConnectionRefusedError:
        place, limit = urlsplit(call.server).netloc, call.options.get("request-timeout", "32s")
        said = f'Get "http://{place}/api?timeout={limit}": dial tcp {place}: connect: connection refused'
        return 1, "", f'error: unable to recognize "STDIN": {said}\n'
    if answered.code >= 300:
        head, _, message = answered.refusal.partition(": ")
        return 1, "", f'{head}: error when creating "STDIN": {message}'
    return 0, _print(answered.document), ""


def _delete(call: Call) -> Printed:
    if "raw" not in call.options:
        raise LeftToKubectl
    answered = call.request("DELETE", call.options["raw"], call.stdin)
    return (0, answered.text, "") if answered.code < 300 else (1, "", answered.refusal)


def _logs(call: Call) -> Printed:
    """The logs of pods of one container, by a selector; or the log of a pod's container."""
    if selector := call.options.get("selector"):
        return _logs_of_pods(call, selector)
    [pod], container = call.words[1:], call.options["container"]
    read = call.request("GET", call.path("pods", pod))
    if read.code != 200 or container not in _containers(read.document):
        raise LeftToKubectl
    answered = _log(call, pod, container)
    return (0, answered.text, "") if answered.code == 200 else (1, "", answered.refusal)


def _logs_of_pods(call: Call, selector: str) -> Printed:
    found = call.request("GET", f"{call.path('pods')}?{urlencode({'labelSelector': selector})}")
    if found.code != 200 or not {"prefix", "ignore-errors"} <= call.options.keys():
        raise LeftToKubectl
    lines = []
    for pod in found.document["items"]:
        name, containers = pod["metadata"]["name"], _containers(pod)
        if len(containers) != 1:
            raise LeftToKubectl
        answered = _log(call, name, containers[0])
        if answered.code == 200:
            lines += [f"[pod/{name}/{containers[0]}] {line}" for line in answered.text.splitlines(keepends=True)]
        else:
            lines.append(f"error: {answered.document['message']}\n")
    none = f"No resources found in {call.options['namespace']} namespace.\n"
    return 0, "".join(lines), "" if found.document["items"] else none


def _containers(pod: Any) -> list[str]:
    spec = pod.get("spec") or {}
    return [one["name"] for kind in ("initContainers", "containers") for one in spec.get(kind, [])]


def _log(call: Call, pod: str, container: str) -> Response:
    previous = {"previous": "true"} if "previous" in call.options else {}
    return call.request("GET", f"{call.path('pods', pod)}/log?{urlencode({'container': container, **previous})}")


_VERBS: Mapping[str, Callable[[Call], Printed]] = {
    "get": _get,
    "create": _create,
    "delete": _delete,
    "logs": _logs,
}
