"""The flags that say where the sites are and what the topology is, and how they depend on each other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flags:
    """The flags as typed; None or empty if not given. The field names are those of `config_file.KEYS`."""

    client_ctx: tuple[str, ...] = ()
    cluster_ctx: str | None = None
    namespace: str | None = None
    client_ns: tuple[str, ...] = ()
    cluster_ns: str | None = None
    kubeconfig: str | None = None
    client_kubeconfig: str | None = None
    cluster_kubeconfig: str | None = None
    hub_ctx: str | None = None
    hub_ns: str | None = None
    hub_kubeconfig: str | None = None
    file: str | None = None
    name: str | None = None
    service: str | None = None
    mode: str | None = None
    expose: str | None = None
    members: int | None = None
    members_from: str | None = None
    members_port: int | None = None
    hazelcast_cluster: str | None = None
    image: str | None = None
    link_from: str | None = None
    link_access: str | None = None
    link_host: str | None = None
    via: str | None = None
    address_timeout: str | None = None
    probe_image: str | None = None
    mancenter_image: str | None = None
    mancenter: bool | None = None
    pull_secret: tuple[str, ...] = ()
    app_namespace: tuple[str, ...] = ()
    cluster_domain: str | None = None
    timeout: str | None = None

    @classmethod
    def typed(cls, values: Mapping[str, Any]) -> Flags:
        """Flags from a command line's values. A repeatable option is a list, or None if it was not given."""
        given: dict[str, Any] = {}
        for key, value in values.items():
            given[key] = tuple(value or ()) if key in LISTS else value
        return cls(**given)


LISTS = ("client_ctx", "client_ns", "pull_secret", "app_namespace")
SIDES = {
    "client_ctx": ("client_ctx", "client_ns", "client_kubeconfig"),
    "cluster_ctx": ("cluster_ctx", "cluster_ns", "cluster_kubeconfig"),
    "hub_ctx": ("hub_ctx", "hub_ns", "hub_kubeconfig"),
}
# The sites that identify a topology. A hub can be left out.
IDENTITY = ("client_ctx", "cluster_ctx")
# Setting of all sites: the same settings of one side.
SHARED = {
    "namespace": ("client_ns", "cluster_ns", "hub_ns"),
    "kubeconfig": ("client_kubeconfig", "cluster_kubeconfig", "hub_kubeconfig"),
}
PLACES = (*(key for keys in SIDES.values() for key in keys), *SHARED)
SETTINGS = (
    *("name", "service", "mode", "expose", "members", "image", "link_from", "link_access", "via", "address_timeout"),
    *("members_from", "members_port", "hazelcast_cluster", "probe_image", "mancenter_image", "mancenter"),
    *("pull_secret", "app_namespace", "cluster_domain"),
    *("link_host", "timeout"),
)
