"""A folder with a kubeconfig, a settings file and a record of the last run, to resolve a configuration in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hzlink.config import last_run, resolve
from hzlink.config.flags import Flags
from hzlink.config.resolve import Config

CONTEXTS = ("core", "edge", "west", "other", "arn:aws:eks:eu:1:cluster/prod", "two words", "-n", "\u2028")


class ConfigFolder:
    """A kubeconfig with CONTEXTS (each with its own server and namespace `own-N`), an hzlink.yaml, a record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"KUBECONFIG": str(folder / "kubeconfig"), "XDG_STATE_HOME": str(folder / "state")}
        self.kubeconfig("kubeconfig", {name: f"https://{number}.example" for number, name in enumerate(CONTEXTS)})

    def kubeconfig(self, name: str, servers: dict[str, str]) -> str:
        contexts = [
            {"name": context, "context": {"cluster": context, "namespace": f"own-{number}"}}
            for number, context in enumerate(servers)
        ]
        clusters = [{"name": context, "cluster": {"server": server}} for context, server in servers.items()]
        path = self.folder / name
        path.write_text(json.dumps({"contexts": contexts, "clusters": clusters}))
        return str(path)

    def file(self, **settings: Any) -> None:
        (self.folder / "hzlink.yaml").write_text(json.dumps(settings))

    def record(self, **values: Any) -> None:
        last_run.save(values, "own-0", self.environ)

    def resolve(self, environ: Mapping[str, str] | None = None, /, **flags: Any) -> Config:
        return resolve.resolve(Flags.typed(flags), {**self.environ, **(environ or {})})


BOTH: dict[str, Any] = {"client_ctx": ["edge"], "cluster_ctx": "core"}
