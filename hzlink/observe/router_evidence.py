"""Why a Link is not operational, from the log of the site's own router. Skupper's status says only "Not Operational".

The router writes one line for each failed attempt, such as `Connection to HOST:PORT failed: proton:io Name or service
not known - connect to HOST:PORT` (skupper-router 3.5.1, seen). The log is read only where a Link is not operational.
The reason is added to the Link's `status.message`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy

from hzlink.model import conditions, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.programs import process
from hzlink.programs.kubectl import Kubectl

# Seconds for the log, beyond the observation itself.
DEADLINE_SECONDS = 5.0
CONTAINER = "router"
LOG_LINES = 200
LOG_BYTES = 100_000

_FAILED = re.compile(r"Connection to (?P<host>\S+):(?P<port>\d+) failed: (?P<why>[^\n]+)")
# Names of conditions in the router's libraries, and the address once more.
_NOISE = re.compile(r"^(?:proton:io|amqp:[\w:-]+)\s+|\s+-\s+(?:connect to|disconnected)\b.*$")


async def with_router_evidence(kubectl: Kubectl, items: Sequence[Object]) -> tuple[Object, ...]:
    """The objects, with the router's reason in each Link that is not operational; unchanged where there is none."""
    broken = [item for item in items if _is_broken(item)]
    if not broken:
        return tuple(items)
    try:
        log = await router_log(kubectl, items)
    except HzlinkError:
        return tuple(items)
    reasons = failed_connections(log)
    return tuple(_explained(item, reasons) if item in broken else item for item in items)


async def router_log(kubectl: Kubectl, items: Sequence[Object]) -> str:
    """The end of the router's log; empty if no router pod among `items` is ready.

    Raises:
        HzlinkError: the log cannot be read.
    """
    ready = [pod for pod in conditions.router_pods(items) if conditions.is_ready(pod)]
    if not ready:
        return ""
    limited = Kubectl(kubectl.site, min(kubectl.deadline, DEADLINE_SECONDS))
    return await limited.log(objects.name(ready[0]), CONTAINER, lines=LOG_LINES, limit_bytes=LOG_BYTES)


def failed_connections(log: str) -> dict[str, str]:
    """The last failed connection to each host, by host, as `HOST:PORT: reason`."""
    found = {}
    for match in _FAILED.finditer(log):
        why = _NOISE.sub("", _NOISE.sub("", match["why"].strip()))
        found[match["host"]] = process.redact(f"{match['host']}:{match['port']}: {why}")
    return found


def last_attempt(log: str, host: str) -> str:
    """The log's line with the last failed connection to a host, which begins with its time; empty if there is none."""
    lines = [line for line in log.splitlines() if (match := _FAILED.search(line)) and match["host"] == host]
    return lines[-1] if lines else ""


def _is_broken(item: Object) -> bool:
    return item.get("kind") == "Link" and objects.holds(item, "Configured") and not objects.holds(item, "Operational")


def _explained(link: Object, reasons: dict[str, str]) -> Object:
    found = [reasons[host] for host in conditions.link_hosts(link).values() if host in reasons]
    if not found:
        return link
    copy = deepcopy(dict(link))
    said = str(objects.status(copy).get("message") or "Not Operational")
    copy.setdefault("status", {})["message"] = f"{said}: the router cannot connect to {'; '.join(found)}"
    return copy
