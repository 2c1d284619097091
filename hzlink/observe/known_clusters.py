"""The clusters that contexts led to at the last `up`, and contexts that lead to another cluster now.

A context's name can change its meaning: a cluster that was created again (kind, minikube), or another kubeconfig file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hzlink.config import last_run
from hzlink.config.kubeconfig import Context
from hzlink.config.resolve import Config
from hzlink.model.topology import Site
from hzlink.observe import cluster_identity

# The key in the record.
KEY = last_run.CLUSTERS


@dataclass(frozen=True)
class Moved:
    """A site whose context leads to another cluster than at the last `up`, by the UIDs of kube-system."""

    site: Site
    before: str
    now: str

    @property
    def text(self) -> str:
        """The change, as a sentence without a full stop."""
        return f"context {self.site.short_context} leads to another cluster than at the last `hzlink up`"

    @property
    def evidence(self) -> str:
        """The UIDs of kube-system now and before."""
        return f"namespace kube-system has UID {self.now}; at the last `up` it had {self.before}"


async def moved(config: Config, sites: Iterable[Site], *, only_new_entries: bool) -> list[Moved]:
    """The sites whose recorded cluster is a different one. An unreadable cluster counts as the recorded one.

    `only_new_entries`: check only sites whose cluster entry in the kubeconfig has changed since the last `up`.
    """
    known = _recorded(last_run.load())
    doubtful = {
        site: found["uid"]
        for site in sites
        if (found := known.get(_key(site)))
        and not (only_new_entries and found["endpoint"] == config.contexts[site].endpoint)
    }
    asked = await asyncio.gather(*(cluster_identity.read(site, config.timeout) for site in doubtful))
    return [
        Moved(site, before, identity.cluster)
        for (site, before), identity in zip(doubtful.items(), asked, strict=True)
        if identity.cluster not in ("", before)
    ]


def record(config: Config, uids: Mapping[Site, str]) -> dict[str, Any]:
    """The values to record after an `up`: its settings and its clusters. Unknown clusters keep their old record."""
    before = last_run.load()
    if not any(KEY in one for one in before) and not uids:
        return dict(config.record)
    known = _recorded(before)
    entries = {
        site: _entry(site, config.contexts[site], uid) if (uid := uids.get(site)) else known.get(_key(site))
        for site in config.topology.sites
    }
    return {**config.record, KEY: [entry for entry in entries.values() if entry]}


def _entry(site: Site, context: Context, uid: str) -> dict[str, str]:
    name, file = _key(site)
    return {"context": name, "kubeconfig": file, "uid": uid, "endpoint": context.endpoint}


def _key(site: Site) -> tuple[str, str]:
    """A context's name and file. The path is absolute, because the user may change the working folder."""
    return site.context, str(Path(site.kubeconfig).absolute()) if site.kubeconfig else ""


def _recorded(records: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, str]]:
    """The last entry of each context, without invalid ones."""
    # The first record is the last `up`.
    return {key: entry for values in reversed(records) for key, entry in _entries(values).items()}


def _entries(values: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, str]]:
    listed = values.get(KEY)
    fields = ("context", "kubeconfig", "uid", "endpoint")
    entries = [
        entry
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and all(isinstance(entry.get(field), str) for field in fields)
    ]
    return {(entry["context"], entry["kubeconfig"]): entry for entry in entries}
