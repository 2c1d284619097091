"""Decides how clients connect with `--mode auto`: to every member by name, or to one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hzlink.model import objects
from hzlink.model.choices import Mode
from hzlink.model.existing_members import Advertised, Found
from hzlink.model.objects import Object
from hzlink.programs import hints

# The port of the Services that Skupper makes at the client sites.
PORT = 5701
# How many addresses a message lists.
_LISTED = 3


@dataclass(frozen=True)
class Choice:
    """The mode, and why (for the user; empty if there is nothing to explain)."""

    mode: Mode
    why: str = ""


def choose(found: Found | None, connector: Object | None, advertised: Advertised) -> Choice:
    """The mode for these members.

    Args:
        found: the members that hzlink did not deploy; None for its own, which advertise their names unless an earlier
            run chose one connection.
        connector: the Connector that exists, by which an existing topology keeps its mode.
        advertised: what the members tell clients; only for members that hzlink did not deploy.
    """
    present = None if connector is None else mode_of(connector)
    if found is None:
        return Choice(present or Mode.SMART)
    if not advertised.known:
        unknown = f"what addresses the members tell clients is not known: {advertised.problem}"
        if present is not None:
            return Choice(present, f"{present}, as before; {unknown}")
        return Choice(Mode.UNISOCKET, f"unisocket, a single connection: {unknown} (--mode smart if they tell names)")
    reason = unresolvable(found, advertised)
    if not reason:
        return Choice(Mode.SMART, "smart: members tell clients their pods' names")
    how = f"for smart clients: {hints.member_config()}"
    return Choice(Mode.UNISOCKET, f"unisocket, a single connection: {reason}; {how}")


def mode_of(connector: Object) -> Mode:
    """The mode that a Connector was made for."""
    return Mode.SMART if objects.spec(connector).get("exposePodsByName") else Mode.UNISOCKET


def unresolvable(found: Found, advertised: Advertised) -> str:
    """Why clients at the client sites cannot use the addresses that members tell them; empty if they can.

    They can use a pod's name with port 5701: Skupper makes a Service for each pod there (exposePodsByName).
    """
    names = set(found.names)
    strange = [one for one in advertised.addresses if one.rpartition(":")[0] not in names]
    if strange:
        listed = ", ".join(strange[:_LISTED]) + (", ..." if len(strange) > _LISTED else "")
        return f"members tell clients {listed}, which client sites cannot reach; they can reach the pods' names"
    ports = sorted({one.rpartition(":")[2] for one in advertised.addresses} - {str(PORT)})
    return f"members tell clients port {', '.join(ports)}, but Services at client sites have {PORT}" if ports else ""
