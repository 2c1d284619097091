"""Makes the redacted files of a support bundle from the gathered data; the first one is the summary. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hzlink.model import objects
from hzlink.model.members import pods_of
from hzlink.model.objects import Object
from hzlink.model.topology import MEMBER_CONTAINER, Topology
from hzlink.observe.existing_members import with_found
from hzlink.observe.snapshot import Snapshot, without_secrets
from hzlink.report import document, report
from hzlink.support import summary
from hzlink.support.dump import Found
from hzlink.support.redaction import Redaction

SUMMARY, STATUS = "summary.txt", "status.json"


def files(
    topology: Topology,
    found: Sequence[Found],
    when: datetime,
    tools: dict[str, str],
    concealed: Iterable[str] = (),
    beside: Sequence[Topology] = (),
) -> list[tuple[str, str]]:
    """The files, as name and text.

    `tools`: versions of the programs on this machine; `concealed`: known secrets; `beside`: other topologies between
    the same sites, each with a summary and a status of its own.
    """
    redaction = _redaction(topology, found, concealed)
    made = [
        *_of_topology(topology, found, redaction, when, tools),
        *(one for other in beside for one in _of_topology(other, found, redaction, when, tools, f"-{other.name}")),
        ("versions.yaml", _yaml([tools | {one.site.name: redaction.item(one.versions) for one in found}])),
    ]
    for one in found:
        made += [(f"{one.site.name}/{name}", text) for name, text in _of_site(one, redaction)]
    return made


def _of_topology(
    topology: Topology,
    found: Sequence[Found],
    redaction: Redaction,
    when: datetime,
    tools: dict[str, str],
    suffix: str = "",
) -> list[tuple[str, str]]:
    """The summary and the status of a topology, with `suffix` in their names."""
    present = [one for one in found if one.site in topology.sites]
    # Only the application namespaces of the chosen topology were read.
    snapshots = {one.site: _snapshot(topology, one, () if suffix else one.apps) for one in present}
    seen = report.make(topology, snapshots)
    status = json.dumps(redaction.item(document.to_dict(seen)), indent=2) + "\n"
    page = summary.page(seen, present, when, tools)
    return [
        (SUMMARY.replace(".", f"{suffix}."), redaction.text(page)),
        (STATUS.replace(".", f"{suffix}."), status),
    ]


def _snapshot(topology: Topology, found: Found, apps: tuple[Snapshot, ...]) -> Snapshot:
    items = tuple(map(without_secrets, found.items))
    log = _member_log(topology, found)
    return Snapshot(found.site, items, found.error, member_log=log, apps=apps)


def _member_log(topology: Topology, found: Found) -> str:
    """The members' current logs in the format of `kubectl logs --prefix`; empty for client sites."""
    present = with_found(topology, Snapshot(found.site, tuple(found.items)))
    own = present.found is None
    pods = {objects.name(pod) for pod in pods_of(present, (item for item in found.items if item.get("kind") == "Pod"))}
    return "\n".join(
        f"[pod/{log.pod}/{log.container}] {line}"
        for log in found.logs
        # The container of members that hzlink did not deploy may have any name.
        if (log.container == MEMBER_CONTAINER if own else log.pod in pods) and not log.previous
        for line in log.text.splitlines()
    )


def _redaction(topology: Topology, found: Sequence[Found], concealed: Iterable[str]) -> Redaction:
    redaction = Redaction()
    items = [item for one in found for item in one.items]
    # Names of objects, sites and contexts are in every line of the bundle and are not secret.
    public = {objects.name(item) for item in items} | {
        label for item in items for label in objects.labels(item).values()
    }
    public |= {word for site in topology.sites for word in (site.name, site.context, site.namespace)}
    redaction.add(concealed)
    redaction.add_from(items, public)
    return redaction


def _of_site(found: Found, redaction: Redaction) -> list[tuple[str, str]]:
    made = []
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in sorted(found.items, key=lambda item: (str(item.get("kind")), objects.name(item))):
        by_kind[str(item.get("kind"))].append(redaction.item(item))
    made += [(f"resources/{_safe(kind)}.yaml", _yaml(items)) for kind, items in by_kind.items()]
    made += [
        (f"applications/{_safe(app.site.namespace)}.yaml", _yaml([redaction.item(item) for item in app.items]))
        for app in found.apps
        if app.items
    ]
    events = sorted((item for item in found.items if item.get("kind") == "Event"), key=summary.moment)
    if events:
        made.append(("events.txt", redaction.text("".join(f"{summary.event_line(event)}\n" for event in events))))
    if found.secrets:
        lines = ["# name, type: keys. The values are not here.", *(_secret(words) for words in found.secrets)]
        made.append(("secrets.txt", redaction.text("\n".join(lines) + "\n")))
    for log in found.logs:
        end = ".previous.log" if log.previous else ".log"
        made.append((f"logs/{_safe(log.pod)}/{_safe(log.container)}{end}", redaction.text(log.text)))
    if found.unread:
        made.append(("unread.txt", redaction.text("\n".join(found.unread) + "\n")))
    return made


def _secret(words: Sequence[str]) -> str:
    name, kind, *keys = words
    return f"{name}, {kind}: {' '.join(keys)}".rstrip(": ")


def _yaml(items: Sequence[Object]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump_all(items, Dumper=dumper, sort_keys=False, allow_unicode=True, explicit_start=len(items) > 1)
    return text


def _safe(name: str) -> str:
    """A name as a file name: a name from a cluster must not lead out of the archive's folder."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".") or "_"
