"""Skupper's access types: which ones a controller has enabled, and how to enable another. Pure.

The controller reads its options from environment variables and flags of its Deployment, with these defaults (read in
Skupper 2.2.1). Only local, loadbalancer and route are enabled by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hzlink.model import objects
from hzlink.model.choices import LinkAccess
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import hints

CONTROLLER = "skupper-controller"
CONTROLLER_NAMESPACE = "skupper"
UNSUPPORTED = "Unsupported value for LinkAccess: "
"""What a Site's status says of an access type that the controller has not enabled."""

_ENABLED = "SKUPPER_ENABLED_ACCESS_TYPES"
_DEFAULT_ENABLED = ("local", "loadbalancer", "route")
# What a type needs in addition, with a placeholder for its value. The controller does not start without it.
_NEEDED = {
    LinkAccess.NODEPORT: ("SKUPPER_CLUSTER_HOST", "NODE"),
    LinkAccess.GATEWAY: ("SKUPPER_GATEWAY_CLASS", "CLASS"),
}
# What a type usually also needs.
_USEFUL = {
    LinkAccess.INGRESS: ("SKUPPER_INGRESS_DOMAIN", "DOMAIN"),
    LinkAccess.INGRESS_NGINX: ("SKUPPER_INGRESS_DOMAIN", "DOMAIN"),
    LinkAccess.CONTOUR_HTTP_PROXY: ("SKUPPER_HTTP_PROXY_DOMAIN", "DOMAIN"),
    LinkAccess.GATEWAY: ("SKUPPER_GATEWAY_DOMAIN", "DOMAIN"),
}


@dataclass(frozen=True)
class Options:
    """A controller's options. `enabled`: the access types; `given`: the names of the variables that are set."""

    enabled: tuple[str, ...] = _DEFAULT_ENABLED
    given: frozenset[str] = frozenset()

    def lacks(self, access: LinkAccess) -> str:
        """What the controller lacks for an access type, as text; empty if it has enabled it."""
        if access is not LinkAccess.AUTO and access not in self.enabled:
            return f"it has enabled only {', '.join(self.enabled)}"
        needed = _NEEDED.get(access)
        return f"{needed[0]} is not set" if needed and needed[0] not in self.given else ""


def options_of(deployment: Object) -> Options | None:
    """The options in a controller's Deployment; None if they are in other objects (a ConfigMap, a Secret)."""
    pod = (objects.spec(deployment).get("template") or {}).get("spec") or {}
    listed = [one for one in pod.get("containers") or [] if isinstance(one, Mapping)]
    container: Mapping[str, object] = next((one for one in listed if one.get("name") == "controller"), {})
    container = container or next(iter(listed), {})
    if container.get("envFrom"):
        return None
    values: dict[str, object] = {}
    env = container.get("env")
    for one in env if isinstance(env, list) else []:
        if isinstance(one, Mapping) and one.get("name"):
            values[str(one["name"])] = None if one.get("valueFrom") else one.get("value") or ""
    # A flag takes precedence over the variable.
    values |= _flags(container)
    enabled = values.get(_ENABLED, ",".join(_DEFAULT_ENABLED))
    if enabled is None:
        return None
    given = frozenset(name for name, value in values.items() if value != "")
    return Options(tuple(one for one in str(enabled).split(",") if one), given)


def _flags(container: Mapping[str, object]) -> dict[str, object]:
    """The values of the container's arguments `-enabled-access-types=X` or `-enabled-access-types X`, as variables."""
    words = [str(word) for key in ("command", "args") for word in _sequence(container.get(key))]
    found: dict[str, object] = {}
    for number, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and not equals:
            value = next(iter(words[number + 1 : number + 2]), "")
        if word.startswith("-"):
            found[f"SKUPPER_{name.upper().replace('-', '_')}"] = value
    return found


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def enable_command(site: Site, access: str, options: Options | None, namespace: str = "") -> str:
    """The command that enables an access type at a site's controller, with placeholders for what it also needs."""
    known = options or Options()
    types = dict.fromkeys((*known.enabled, access))
    words = [f"{_ENABLED}={','.join(types)}"]
    for table in (_NEEDED, _USEFUL):
        name, value = next((pair for kind, pair in table.items() if kind == access), ("", ""))
        if name and name not in known.given:
            words.append(f"{name}={value}")
    where = namespace or CONTROLLER_NAMESPACE
    return hints.cluster_wide(site, f"-n {where} set env deployment/{CONTROLLER} {' '.join(words)}")


def remedy(site: Site, access: str, options: Options | None, namespace: str = "") -> str:
    """How to go on where an access type is not enabled: enable it, or use one that is."""
    others = [one for one in (options or Options()).enabled if one not in (access, LinkAccess.LOCAL, LinkAccess.ROUTE)]
    use = hints.hzlink(f"up --link-access {others[0] if others else LinkAccess.AUTO}")
    return f"{enable_command(site, access, options, namespace)}   (or use an enabled one: {use})"


def refused(site: Object | None) -> str:
    """The access type of a Site that its controller has not enabled; empty if there is none.

    A status that is older than the Site's present link access does not count.
    """
    message = str(objects.status(site or {}).get("message") or "")
    if not message.startswith(UNSUPPORTED):
        return ""
    access = message.removeprefix(UNSUPPORTED).strip()
    observed = objects.condition(site or {}, "Configured").get("observedGeneration")
    generation = ((site or {}).get("metadata") or {}).get("generation")
    outdated = isinstance(observed, int) and isinstance(generation, int) and observed < generation
    return "" if outdated or access != objects.spec(site or {}).get("linkAccess") else access
