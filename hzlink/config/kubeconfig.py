"""Reads contexts from kubeconfig files, merged as kubectl merges them. hzlink reads them once and never writes them."""

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

    `user` is the name of the user entry and `file` its kubeconfig file. `mode` is interactiveMode: Never, IfAvailable
    or Always. `hint` is the kubeconfig's installHint. `wants_cluster`: provideClusterInfo is set. Arguments and
    variables may contain secrets.
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
        """The program's path: a command with a slash is relative to the kubeconfig's folder."""
        return str(Path(self.file).parent.absolute() / self.command) if "/" in self.command else self.command


@dataclass(frozen=True)
class Shadowed:
    """An entry that kubectl ignores, because an earlier file has an entry of the same name.

    `kind` is cluster, user or context.
    """

    kind: str
    name: str
    used_file: str
    ignored_file: str


@dataclass(frozen=True)
class Context:
    """A kubeconfig context: its namespace (`default` if it has none) and its server's address.

    `file` is the context's file, `cluster` the name of its cluster entry, `user_file` the file of its user entry.
    `endpoint` and `access` are digests of the cluster entry and the user entry: contexts with equal digests connect to
    the same server in the same manner, as the same user. `entries` are these two entries, and secret. `shadowed` are
    entries of `file` that kubectl ignores for this context; `missing` those that no file has, as `user "ann"`.
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
    missing: tuple[str, ...] = ()

    def standalone(self, credential: Mapping[str, Any]) -> dict[str, Any]:
        """A kubeconfig with this context alone, and with a credential instead of its plugin.

        `credential` is the status of an ExecCredential. The result is secret.
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


# Field of an ExecCredential's status: field of a kubeconfig's user.
_CREDENTIALS = {
    "token": "token",
    "clientCertificateData": "client-certificate-data",
    "clientKeyData": "client-key-data",
}
_ENCODED = ("client-certificate-data", "client-key-data")


@dataclass(frozen=True)
class _Entry:
    """A named entry, and its file."""

    body: Mapping[str, Any]
    file: Path

    @property
    def digest(self) -> str:
        """The digest of its content. Relative paths are relative to its file, as for kubectl."""
        known = hashlib.sha256()
        for scalar in _scalars(self.absolute):
            known.update(repr(scalar).encode("utf-8", "surrogatepass"))
        return known.hexdigest()

    @property
    def absolute(self) -> Mapping[str, Any]:
        """Its content with absolute paths."""
        folder = self.file.parent.absolute()
        paths = {key: str(folder / name) for key in _PATHS if (name := _scalar_text(self.body.get(key)))}
        return {**self.body, **paths}


# More values than a real entry has. With YAML aliases, an entry can have more values than fit into memory.
MAX_VALUES = 1000


def _scalars(node: Any) -> Iterator[tuple[str, str]]:
    """The values in a tree of mappings and lists, each with its key, sorted independently of the file's order."""
    waiting: list[tuple[str, Any]] = [("", node)]
    for _ in range(MAX_VALUES):
        if not waiting:
            return
        key, node = waiting.pop()
        if isinstance(node, dict):
            named = {_scalar_text(name): value for name, value in itertools.islice(node.items(), MAX_VALUES)}
            waiting += [(name, named[name]) for name in sorted(named, reverse=True)]
        elif isinstance(node, (list, tuple, set)):
            waiting += [(key, value) for value in list(itertools.islice(node, MAX_VALUES))[::-1]]
        else:
            yield key, _scalar_text(node)


_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_NOTHING = _Entry({}, Path())


def contexts(kubeconfig: str | None, environ: Mapping[str, str] = os.environ) -> dict[str, Context]:
    """All contexts by name, from one file or from kubectl's default files; the first of equal names counts.

    Raises:
        UsageError: a named file is missing, or a file is not a kubeconfig.
    """
    merged = _Merged(_paths(kubeconfig, environ))
    return {name: merged.context(name) for name in merged.first["context"]}


class _Merged:
    """The entries of several files by kind and name: `first` has those that kubectl uses."""

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
        """One context with its cluster and user."""
        own = self.first["context"][name]
        names = {kind: _scalar_text(own.body.get(kind)) for kind in ("cluster", "user")}
        cluster, user = (self.first[kind].get(names[kind], _NOTHING) for kind in names)
        return Context(
            name=name,
            namespace=_scalar_text(own.body.get("namespace")) or "default",
            server=_scalar_text(cluster.body.get("server")),
            cluster=names["cluster"],
            file=str(own.file),
            user_file=str(user.file),
            endpoint=cluster.digest,
            access=user.digest,
            plugin=_plugin(names["user"], user),
            entries={"cluster": cluster.absolute, "user": user.absolute},
            shadowed=(*self._others(name), *(one for kind in names if (one := self._ignored(kind, names[kind], own)))),
            missing=tuple(f'{kind} "{named}"' for kind, named in names.items() if self._lacks(kind, named)),
        )

    def _lacks(self, kind: str, name: str) -> bool:
        """Whether a context needs an entry that no file has: always a cluster, a user only if it names one."""
        return name not in self.first[kind] and bool(name or kind == "cluster")

    def _ignored(self, kind: str, name: str, context: _Entry) -> Shadowed | None:
        """The entry in the context's own file that kubectl ignores, because an earlier file has one of that name."""
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


# Kind: its list in a kubeconfig.
_SECTIONS = {"context": "contexts", "cluster": "clusters", "user": "users"}


def _plugin(name: str, user: _Entry) -> Plugin | None:
    found = user.body.get("exec")
    if not isinstance(found, dict) or not _scalar_text(found.get("command")):
        return None
    variables = [one for one in _list(found.get("env")) if isinstance(one, dict)]
    return Plugin(
        command=_scalar_text(found["command"]),
        mode=_scalar_text(found.get("interactiveMode")) or "IfAvailable",
        hint=_scalar_text(found.get("installHint")).strip(),
        user=name,
        file=str(user.file),
        version=_scalar_text(found.get("apiVersion")),
        wants_cluster=bool(found.get("provideClusterInfo")),
        args=tuple(_scalar_text(one) for one in _list(found.get("args"))),
        env={_scalar_text(one.get("name")): _scalar_text(one.get("value")) for one in variables},
    )


def _list(value: Any) -> list[Any]:
    return value[:MAX_VALUES] if isinstance(value, list) else []


def _paths(kubeconfig: str | None, environ: Mapping[str, str]) -> list[Path]:
    if kubeconfig is not None:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no kubeconfig file {kubeconfig}", next_step="check --kubeconfig")
        return [path]
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = [Path(part) for part in listed] or [Path("~/.kube/config").expanduser()]
    # kubectl ignores missing files, too.
    return [path for path in candidates if path.is_file()]


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        # The C parser, if PyYAML has it: the Python parser takes 20 ms for a kubeconfig with certificates.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506
    except OSError as error:
        raise UsageError(f"cannot read the kubeconfig file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the kubeconfig file {path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        # The error's text quotes the file, which contains credentials.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"the kubeconfig file {path}{line} is not YAML") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        # PyYAML raises these for invalid values, such as a 13th month. Their texts quote the value, too.
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
        named.append((_scalar_text(entry.get("name")), body if isinstance(body, dict) else {}))
    return named


def _scalar_text(value: Any) -> str:
    """A scalar as text, empty for a list or mapping: with YAML aliases, its text may not fit into memory."""
    if value is None or isinstance(value, (list, dict, set, tuple)):
        return ""
    # Python refuses to convert an integer of more than 4300 digits to text.
    return str(value) if not isinstance(value, int) or value.bit_length() < 10_000 else ""
