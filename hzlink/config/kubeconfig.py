"""Reads contexts out of kubeconfig files, as kubectl merges them. Read once at start; never written.

Only names, namespaces, server addresses and digests are kept: no credential leaves this module.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hzlink.model.errors import UsageError


@dataclass(frozen=True)
class Plugin:
    """A credential plugin (client-go's `exec`): a program that kubectl runs for each of its calls.

    `user` is the name of the user entry and `file` where it stands. `mode` is Never, IfAvailable or Always: whether it
    may, or must, talk to a person at a terminal. `hint` is the kubeconfig's own word on how to install it.
    `wants_cluster`: it has to be told of the cluster. Arguments and variables can hold secrets.
    """

    command: str
    mode: str = "IfAvailable"
    hint: str = ""
    user: str = ""
    file: str = ""
    version: str = ""
    wants_cluster: bool = False
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> str:
        """The program as it is started: one with a slash in its name counts from the kubeconfig's folder."""
        return str(Path(self.file).parent.absolute() / self.command) if "/" in self.command else self.command


@dataclass(frozen=True)
class Shadowed:
    """An entry of a file that kubectl passes over, because an earlier file has another one of that name.

    `kind` is cluster, user or context.
    """

    kind: str
    name: str
    used_file: str
    passed_file: str


@dataclass(frozen=True)
class Context:
    """A kubeconfig context: its own namespace (`default` where it names none) and its server's address.

    `file` is where the context stands, `cluster` the name of its cluster entry and `user_file` where its user stands.
    `endpoint` and `access` are digests of all that the cluster's and the user's entry say: equal ones are the same
    way to the same server, and the same user. `entries` are the cluster's and the user's, a secret. `shadowed` are
    entries of `file` that this context does not get.
    """

    name: str
    namespace: str
    server: str
    cluster: str = ""
    file: str = ""
    user_file: str = ""
    endpoint: str = field(default="", repr=False)
    access: str = field(default="", repr=False)
    plugin: Plugin | None = None
    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)
    shadowed: tuple[Shadowed, ...] = ()

    def standalone(self, credential: Mapping[str, Any]) -> dict[str, Any]:
        """A kubeconfig of this context alone, with a credential in its plugin's place: the status of an ExecCredential.

        It is a secret.
        """
        kept = {key: value for key, value in self.entries["user"].items() if key.startswith("as")}
        given = {key: credential[name] for name, key in _CREDENTIALS.items() if credential.get(name)}
        for key in _ENCODED:
            if key in given:
                given[key] = base64.b64encode(str(given[key]).encode()).decode()
        named = {"cluster": "cluster", "user": "user", "namespace": self.namespace}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": dict(self.entries["cluster"])}],
            "users": [{"name": "user", "user": {**kept, **given}}],
            "contexts": [{"name": self.name, "context": named}],
        }


# Of an ExecCredential's status, what it is called in a kubeconfig.
_CREDENTIALS = {
    "token": "token",
    "clientCertificateData": "client-certificate-data",
    "clientKeyData": "client-key-data",
}
_ENCODED = ("client-certificate-data", "client-key-data")


@dataclass(frozen=True)
class _Entry:
    """A named entry, and the file that it stands in."""

    body: Mapping[str, Any]
    file: Path

    @property
    def digest(self) -> str:
        """Of its content. Relative paths in it count from its file, as they do for kubectl."""
        known = hashlib.sha256()
        for scalar in itertools.islice(_scalars(self.absolute), MAX_SCALARS):
            known.update(repr(scalar).encode("utf-8", "surrogatepass"))
        return known.hexdigest()

    @property
    def absolute(self) -> Mapping[str, Any]:
        """Its content, with absolute paths."""
        folder = self.file.parent.absolute()
        paths = {key: str(folder / name) for key in _PATHS if (name := _word(self.body.get(key)))}
        return {**self.body, **paths}


# Of an entry, more than any has; aliases can make one of more values than there is memory.
MAX_SCALARS = 1000


def _scalars(node: Any, key: str = "", depth: int = 8) -> Iterator[tuple[str, str]]:
    """The values in a tree of mappings and lists, each with its key, in an order that does not depend on the file's."""
    if depth == 0:
        return
    if isinstance(node, dict):
        named = {_word(name): value for name, value in itertools.islice(node.items(), MAX_SCALARS)}
        for name in sorted(named):
            yield from _scalars(named[name], name, depth - 1)
    elif isinstance(node, (list, tuple, set)):
        for value in itertools.islice(node, MAX_SCALARS):
            yield from _scalars(value, key, depth - 1)
    else:
        yield key, _word(node)


_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_NOTHING = _Entry({}, Path())


def contexts(kubeconfig: str | None, environ: Mapping[str, str] = os.environ) -> dict[str, Context]:
    """All contexts by name, from one file or from kubectl's own look-up; of equal names the first holds.

    Raises:
        UsageError: a named file is missing, or a file is not a kubeconfig.
    """
    merged = _Merged(_paths(kubeconfig, environ))
    return {name: merged.context(name) for name in merged.first["context"]}


class _Merged:
    """The entries of several files: by kind and name those that count, and all that there are."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.first: dict[str, dict[str, _Entry]] = {kind: {} for kind in _SECTIONS}
        self._all: dict[str, dict[str, list[_Entry]]] = {kind: {} for kind in _SECTIONS}
        for path in paths:
            document = _load(path)
            for kind, section in _SECTIONS.items():
                for name, body in _named(document, section, kind, path):
                    entry = _Entry(body, path)
                    self.first[kind].setdefault(name, entry)
                    self._all[kind].setdefault(name, []).append(entry)

    def context(self, name: str) -> Context:
        """One context with what it leads to."""
        own = self.first["context"][name]
        names = {kind: _word(own.body.get(kind)) for kind in ("cluster", "user")}
        cluster, user = (self.first[kind].get(names[kind], _NOTHING) for kind in names)
        return Context(
            name=name,
            namespace=_word(own.body.get("namespace")) or "default",
            server=_word(cluster.body.get("server")),
            cluster=names["cluster"],
            file=str(own.file),
            user_file=str(user.file),
            endpoint=cluster.digest,
            access=user.digest,
            plugin=_plugin(names["user"], user),
            entries={"cluster": cluster.absolute, "user": user.absolute},
            shadowed=(*self._others(name), *(one for kind in names if (one := self._passed(kind, names[kind], own)))),
        )

    def _passed(self, kind: str, name: str, context: _Entry) -> Shadowed | None:
        """The entry beside a context that kubectl passes over, because another file's counts."""
        used = self.first[kind].get(name)
        beside = [entry for entry in self._all[kind].get(name, []) if entry.file == context.file]
        if used is None or not beside or used.file == context.file or used.digest == beside[0].digest:
            return None
        return Shadowed(kind, name, str(used.file), str(context.file))

    def _others(self, name: str) -> Iterator[Shadowed]:
        """Contexts of the same name in later files."""
        used, *later = self._all["context"][name]
        for entry in later:
            if entry.file != used.file:
                yield Shadowed("context", name, str(used.file), str(entry.file))


# By kind, the list in a kubeconfig.
_SECTIONS = {"context": "contexts", "cluster": "clusters", "user": "users"}


def _plugin(name: str, user: _Entry) -> Plugin | None:
    found = user.body.get("exec")
    if not isinstance(found, dict) or not _word(found.get("command")):
        return None
    variables = [one for one in _list(found.get("env")) if isinstance(one, dict)]
    return Plugin(
        command=_word(found["command"]),
        mode=_word(found.get("interactiveMode")) or "IfAvailable",
        hint=_word(found.get("installHint")).strip(),
        user=name,
        file=str(user.file),
        version=_word(found.get("apiVersion")),
        wants_cluster=bool(found.get("provideClusterInfo")),
        args=tuple(_word(one) for one in _list(found.get("args"))),
        env={_word(one.get("name")): _word(one.get("value")) for one in variables},
    )


def _list(value: Any) -> list[Any]:
    return value[:MAX_SCALARS] if isinstance(value, list) else []


def _paths(kubeconfig: str | None, environ: Mapping[str, str]) -> list[Path]:
    if kubeconfig is not None:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no kubeconfig file {kubeconfig}", next_step="check --kubeconfig")
        return [path]
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = [Path(part) for part in listed] or [Path("~/.kube/config").expanduser()]
    # kubectl passes over what is not there, too.
    return [path for path in candidates if path.is_file()]


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        # The C parser, where PyYAML was built with it: a kubeconfig with certificates takes the other one 20 ms.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506
    except OSError as error:
        raise UsageError(f"cannot read the kubeconfig file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the kubeconfig file {path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        # The text of the error would quote the file, which holds credentials.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"the kubeconfig file {path}{line} is not YAML") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        # What PyYAML lets out for a value that is not what it looks like, a 13th month, say. It quotes the value, too.
        raise UsageError(f"the kubeconfig file {path} holds a value that is not YAML") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"the kubeconfig file {path} is not a kubeconfig: it holds no mapping")
    return document


def _named(document: dict[str, Any], section: str, key: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    entries = document.get(section) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"the kubeconfig file {path} is not a kubeconfig: {section} is not a list of mappings")
    named = []
    for entry in entries:
        body = entry.get(key)
        named.append((_word(entry.get("name")), body if isinstance(body, dict) else {}))
    return named


def _word(value: Any) -> str:
    """A name as text, empty where it is none: aliases can make a list of more text than there is memory."""
    if value is None or isinstance(value, (list, dict, set, tuple)):
        return ""
    # Python turns no integer of more than 4300 digits into text.
    return str(value) if not isinstance(value, int) or value.bit_length() < 10_000 else ""
