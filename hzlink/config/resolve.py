"""Resolves flags, environment, hzlink.yaml and the last run's record to a validated Topology.

Each setting comes from the first of: flag, `HZLINK_*` variable, file, record of the last `up`, default. The record is
used only for the contexts that it was made with, so that settings of one topology never apply to another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from hzlink.config import app_namespaces, former_hub, kubeconfig, last_run, members_source, naming, same_place
from hzlink.config.flags import IDENTITY, LISTS, PLACES, SETTINGS, SHARED, SIDES, Flags
from hzlink.config.kubeconfig import Context
from hzlink.config.link_host import link_host_of, without_excluded
from hzlink.model import durations, switches
from hzlink.model.choices import Expose, LinkAccess, LinkFrom, Mode, ModeChoice, Role, Via
from hzlink.model.errors import UsageError
from hzlink.model.topology import DEFAULT_SERVICE, Settings, Site, Topology

DEFAULT_FILE = "hzlink.yaml"
DEFAULT_TIMEOUT_SECONDS = 180.0
# The longest duration that an option accepts: a day.
MAX_SECONDS = 86400.0

# The numbers that are whole numbers.
WHOLE = ("members", "members-port")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class Config:
    """A validated configuration: the topology, the time limit in seconds, and the values to record after an `up`.

    `contexts`: each site's context. `undecided`: pairs of sites with the same namespace name and server address; only
    their clusters show whether they are different. `named`: the user gave the topology's name or service.
    """

    topology: Topology
    timeout: float
    record: dict[str, Any] = field(default_factory=dict)
    contexts: Mapping[Site, Context] = field(default_factory=dict)
    undecided: tuple[tuple[Site, Site], ...] = ()
    named: bool = True

    @property
    def cluster_namespace(self) -> str:
        """The namespace of the cluster site's context."""
        return self.contexts[self.topology.cluster].namespace if self.contexts else ""


def resolve(flags: Flags, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration from all sources.

    Raises:
        UsageError: a context is missing or unknown, a value is out of range, or two sites are the same namespace.
    """
    sources = (_from_flags(flags), _from_environment(environ), _from_file(flags, environ))
    given = {key: value for key in (*PLACES, "name", "service") if (value := _first(sources, key)) is not None}
    recorded = last_run.choose(last_run.load(environ), given, PLACES)
    values = _merge(sources, recorded)
    if not values.get("client_ctx") or not values.get("cluster_ctx"):
        missing = "--cluster-ctx" if values.get("client_ctx") else "--client-ctx"
        earlier = (
            "the last `hzlink up` was for other contexts"
            if recorded
            else "there is no record of an earlier `hzlink up`"
        )
        raise UsageError(
            f"no {missing} given, and {earlier}",
            next_step="hzlink up --client-ctx CONTEXT --cluster-ctx CONTEXT (kubectl config get-contexts lists them)",
        )
    values = _with_hub(values)
    members_given = any("members" in source for source in sources)
    topology, known = _topology(values, environ, members_given=members_given)
    former = _former_hub(recorded, values, topology, known[0], environ)
    if former is not None:
        topology = replace(topology, former_hub=former[0])
    undecided = same_place.judge(_places(topology.sites, known))
    app_namespaces.validate(topology, dict(zip(topology.sites, known, strict=True)))
    timeout = _duration(values.get("timeout", DEFAULT_TIMEOUT_SECONDS), "timeout", 1)
    record = {key: values[key] for key in (*PLACES, *SETTINGS) if key in values and key != "timeout"}
    # A relative path would be another file after a change of the working folder.
    for key in ("kubeconfig", *SHARED["kubeconfig"]):
        if record.get(key):
            record[key] = str(Path(record[key]).expanduser().absolute())
    if former is not None:
        record[former_hub.KEY] = former[1]
    pairs = tuple((topology.sites[one], topology.sites[other]) for one, other in undecided)
    contexts = dict(zip(topology.sites, known, strict=True))
    named = any(key in source for source in sources for key in ("name", "service"))
    return Config(topology, timeout, record, contexts, pairs, named)


def with_consent(config: Config, *, enable_link_access: bool) -> Config:
    """The configuration with the user's consent, which is given for one run only and never recorded."""
    topology = config.topology
    settings = replace(topology.settings, enable_link_access=enable_link_access)
    return replace(config, topology=replace(topology, settings=settings))


def _places(sites: Sequence[Site], contexts: Sequence[Context]) -> list[same_place.Place]:
    return [same_place.Place(site.role, context, site.namespace) for site, context in zip(sites, contexts, strict=True)]


def _from_flags(flags: Flags) -> dict[str, Any]:
    typed = {key: getattr(flags, key) for key in (*PLACES, *SETTINGS)}
    return {key: list(value) if key in LISTS else value for key, value in typed.items() if value not in (None, ())}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key in (*PLACES, *SETTINGS):
        text = environ.get(f"HZLINK_{key.upper()}", "")
        if text:
            # One item per line: contexts may contain any other character.
            values[key] = [line for line in text.split("\n") if line] if key in LISTS else text
    return values


def _from_file(flags: Flags, environ: Mapping[str, str]) -> dict[str, Any]:
    named = flags.file or environ.get("HZLINK_FILE")
    path = Path(named or DEFAULT_FILE)
    if not path.is_file():
        if named:
            raise UsageError(f"there is no file {named}")
        return {}
    from hzlink.config.config_file import load

    return load(path)


def _merge(sources: Sequence[Mapping[str, Any]], recorded: Mapping[str, Any]) -> dict[str, Any]:
    given = {anchor: _first(sources, anchor) for anchor in IDENTITY}
    # The record is of one topology: it is ignored if a context on either side is different.
    ours = all(context in (None, recorded.get(anchor)) for anchor, context in given.items())
    # Another topology between the same sites has its own settings.
    service = recorded.get("service", DEFAULT_SERVICE)
    named = {"name": last_run.name_of(recorded), "service": service}
    if any(_first(sources, key) not in (None, value) for key, value in named.items()):
        recorded = {key: value for key, value in recorded.items() if key in PLACES}
    sources = without_excluded(members_source.without_outranked((*sources, recorded if ours else {})))
    chosen = {anchor: _first(sources, anchor) for anchor in SIDES}
    values: dict[str, Any] = {}
    for source in sources:
        counts = dict(source)
        for anchor, keys in SIDES.items():
            # A namespace that a source gives for another context does not apply to the chosen context.
            if counts.get(anchor, chosen[anchor]) != chosen[anchor]:
                counts = _without(counts, keys)
        for shared, sides in SHARED.items():
            # A setting for all sites in a higher source outranks a setting for one side in this source, unless this
            # source has it beside the same setting for all sites: `-n hz` repeats what the record says.
            if shared in values and values[shared] != source.get(shared):
                counts = _without(counts, sides)
        values = counts | values
    return values


def _first(sources: Sequence[Mapping[str, Any]], key: str) -> Any:
    return next((source[key] for source in sources if key in source), None)


def _without(values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def _with_hub(values: dict[str, Any]) -> dict[str, Any]:
    """The values without those of the hub if there is none: `--hub-ctx ''` goes back to a direct link."""
    keys = SIDES["hub_ctx"]
    if values.get("hub_ctx"):
        if (side := values.get("link_from", LinkFrom.AUTO)) != LinkFrom.AUTO:
            raise UsageError(
                f"--link-from {side} does not apply to a topology with a hub: the hub issues",
                next_step="leave out --hub-ctx, or use --link-from auto",
            )
        return values
    if "hub_ctx" not in values and any(values.get(key) for key in keys):
        raise UsageError("no --hub-ctx given: --hub-ns and --hub-kubeconfig are those of the hub")
    return _without(values, keys)


def _topology(
    values: Mapping[str, Any], environ: Mapping[str, str], *, members_given: bool
) -> tuple[Topology, list[Context]]:
    service = str(values.get("service", DEFAULT_SERVICE))
    if not naming.is_service(service):
        raise UsageError(
            f"--service {service!r} is not a name for a Service",
            said=f"at most {naming.MAX_SERVICE} lower-case letters, digits and hyphens, and the first is a letter",
        )
    name = str(values.get("name", service))
    if not naming.is_label(name):
        raise UsageError(f"the topology's name {name!r} is not a lower-case label such as {DEFAULT_SERVICE}")
    shared = values.get("kubeconfig")
    cluster = _place(
        str(values["cluster_ctx"]),
        values.get("cluster_ns") or values.get("namespace"),
        values.get("cluster_kubeconfig") or shared,
        environ,
    )
    namespaces = _spread(list(values.get("client_ns") or []), len(values["client_ctx"]))
    clients = [
        _place(
            str(context),
            namespace or values.get("namespace"),
            values.get("client_kubeconfig") or shared,
            environ,
        )
        for context, namespace in zip(values["client_ctx"], namespaces, strict=True)
    ]
    hub = []
    if context := values.get("hub_ctx"):
        namespace = values.get("hub_ns") or values.get("namespace")
        hub.append(_place(str(context), namespace, values.get("hub_kubeconfig") or shared, environ))
    found = [cluster, *clients, *hub]
    places = [place for place, _ in found]
    roles = [Role.CLUSTER, *(Role.CLIENT for _ in clients), *(Role.HUB for _ in hub)]
    names = naming.site_names(places)
    short = naming.short_contexts([context for context, _, _ in places])
    sites = [
        Site(site_name, role, *place, short=called)
        for site_name, role, place, called in zip(names, roles, places, short, strict=True)
    ]
    topology = Topology(
        name,
        sites[0],
        tuple(site for site in sites if site.role is Role.CLIENT),
        settings_of(values, members_given=members_given),
        next((site for site in sites if site.role is Role.HUB), None),
    )
    return topology, [context for _, context in found]


def _former_hub(
    recorded: Mapping[str, Any],
    values: Mapping[str, Any],
    topology: Topology,
    cluster: Context,
    environ: Mapping[str, str],
) -> tuple[Site, dict[str, Any]] | None:
    """The hub at the last `up` of this topology, if it has another one now or none; with the values to record."""
    if last_run.identity(recorded, cluster.namespace) != last_run.identity(values, cluster.namespace):
        return None
    found = former_hub.values(recorded, values)
    try:
        place = _place(found["hub_ctx"], found["hub_ns"], found["hub_kubeconfig"], environ)[0] if found else None
    except UsageError:
        # Its context is no longer in the kubeconfig.
        return None
    if place is None:
        return None
    ends = [(site.context, site.namespace, site.kubeconfig) for site in (topology.cluster, *topology.clients)]
    # Its name in that run, if no site has it now.
    name = naming.site_names([*ends, place])[-1]
    name = f"former-{name}" if name in {site.name for site in topology.sites} else name
    return Site(name, Role.HUB, *place, short=naming.short_contexts([place[0]])[0]), found


def _spread(namespaces: list[str], count: int) -> list[str | None]:
    if len(namespaces) > 1 and len(namespaces) != count:
        raise UsageError(
            f"{len(namespaces)} --client-ns for {count} --client-ctx",
            next_step="give one for all client sites, or one for each, in the same order",
        )
    return [*namespaces] if len(namespaces) == count else [*namespaces, None][:1] * count


Place = tuple[str, str, str | None]


def _place(context: str, namespace: str | None, file: str | None, environ: Mapping[str, str]) -> tuple[Place, Context]:
    # kubectl does not expand ~, and no shell expands values from hzlink.yaml.
    file = os.path.expanduser(file) if file else None
    known = kubeconfig.contexts(file, environ)
    if "\0" in context or not _is_text(context):
        raise UsageError(f"{context!r} is not a context's name", said="kubectl accepts no such name")
    if context not in known:
        listed = ", ".join(sorted(known)[:8]) or "none"
        raise UsageError(
            f"there is no context {context!r} in {file or 'your kubeconfig'}",
            said=f"its contexts: {listed}",
            next_step="kubectl config get-contexts",
        )
    own = known[context]
    chosen = namespace or own.namespace
    if not naming.is_label(chosen):
        raise UsageError(f"{chosen!r} is not a namespace's name", next_step="check --namespace")
    return (context, chosen, file), own


def _is_text(name: str) -> bool:
    """Whether the name can be a program's argument: one with a lone surrogate cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def settings_of(values: Mapping[str, Any], *, members_given: bool) -> Settings:
    """The settings in merged values; see `resolve` for errors."""
    standard = Settings()
    mode = _choice(ModeChoice, values.get("mode", ModeChoice.AUTO), "mode")
    members_from, own = members_source.parse(values.get("members_from"))
    port = values.get("members_port")
    return Settings(
        mode=standard.mode if mode is ModeChoice.AUTO else Mode(mode),
        mode_auto=mode is ModeChoice.AUTO,
        members_from=members_from,
        own_members=own,
        members_port=None if port is None else int(_number(port, "members-port", 1, 65535)),
        hazelcast_cluster=members_source.cluster_name(values.get("hazelcast_cluster")),
        expose=_choice(Expose, values.get("expose", standard.expose), "expose"),
        members=int(_number(values.get("members", standard.members), "members", 1, 100)),
        members_given=members_given,
        image=_image(values, "image"),
        mancenter_image=_image(values, "mancenter_image"),
        mancenter=_switch(values.get("mancenter", standard.mancenter), "mancenter"),
        pull_secrets=_pull_secrets(values.get("pull_secret", ())),
        link_from=_choice(LinkFrom, values.get("link_from", standard.link_from), "link-from"),
        link_access=_choice(LinkAccess, values.get("link_access", standard.link_access), "link-access"),
        link_host=link_host_of(values),
        link_host_given="link_host" in values,
        via=_choice(Via, values.get("via", standard.via), "via"),
        address_timeout=_duration(values.get("address_timeout", standard.address_timeout), "address-timeout", 0),
        probe_image=_image(values, "probe_image") or standard.probe_image,
        service=str(values.get("service", standard.service)),
        # An empty value names no namespace: it overrides the recorded ones.
        app_namespaces=tuple(filter(None, map(str, values.get("app_namespace") or ()))),
        cluster_domain=_domain(values, standard.cluster_domain),
    )


def _domain(values: Mapping[str, Any], standard: str) -> str:
    domain = str(values.get("cluster_domain", standard))
    if not all(naming.is_label(part) for part in domain.split(".")):
        raise UsageError(f"--cluster-domain {domain!r} is not a DNS domain such as {standard}")
    return domain


def _image(values: Mapping[str, Any], key: str) -> str | None:
    image = values.get(key)
    if image is None:
        return None
    if not str(image) or any(character.isspace() for character in str(image)):
        raise UsageError(f"--{key.replace('_', '-')} {image!r} is not an image")
    return str(image)


def _switch(value: object, name: str) -> bool:
    found = switches.parse(value)
    if found is None:
        raise UsageError(f"--{name} {value!r} is not true or false")
    return found


def _pull_secrets(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once. A single empty name stands for none, so that recorded ones can be removed."""
    if list(names) == [""]:
        return ()
    for name in names:
        if not naming.is_subdomain(name):
            raise UsageError(f"--pull-secret {name!r} is not a Secret's name")
    return tuple(dict.fromkeys(names))


def _choice(kind: type[Choice], value: object, name: str) -> Choice:
    try:
        return kind(str(value))
    except ValueError:
        listed = ", ".join(kind)
        raise UsageError(f"--{name} {value!r} is not one of {listed}") from None


def _number(value: object, name: str, least: float, most: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not least <= number <= most or (name in WHOLE and number != int(number)):
        raise UsageError(f"--{name} {value!r} is not a number from {least:g} to {most:g}")
    return number


def _duration(value: object, name: str, least: float) -> float:
    """Seconds, from `least` to a day."""
    try:
        seconds = durations.parse(str(value))
    except ValueError:
        raise UsageError(f"--{name} {value!r} is not a duration such as {durations.FORMS}") from None
    if not least <= seconds <= MAX_SECONDS:
        raise UsageError(f"--{name} {value!r} is not from {least:g} s to {MAX_SECONDS / 3600:g} h")
    return seconds
