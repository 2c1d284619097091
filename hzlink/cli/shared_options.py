"""Options that several commands accept, and the decorator that adds them to a command."""

from collections.abc import Callable
from typing import Any

from hzlink.cli.options import (
    AddressTimeout,
    AppNamespace,
    BenchOutput,
    BenchOutputOption,
    ClientCtx,
    ClientKubeconfig,
    ClientNs,
    ClusterCtx,
    ClusterDomain,
    ClusterKubeconfig,
    ClusterNs,
    ExposeOption,
    File,
    HazelcastCluster,
    HubCtx,
    HubKubeconfig,
    HubNs,
    ImageOption,
    Kubeconfig,
    LinkAccessOption,
    LinkFromOption,
    LinkHost,
    MancenterImage,
    MancenterOption,
    MembersFrom,
    MembersOption,
    MembersPort,
    ModeOption,
    Name,
    Namespace,
    NoColor,
    Output,
    OutputOption,
    PullSecret,
    Quiet,
    Service,
    StatusOutput,
    StatusOutputOption,
    Timeout,
    Verbose,
    ViaOption,
)

# The settings of a topology that commands accept. Name: annotation.
UP_SETTINGS: dict[str, Any] = {
    "members": MembersOption,
    "image": ImageOption,
    "members_from": MembersFrom,
    "members_port": MembersPort,
    "hazelcast_cluster": HazelcastCluster,
    "mancenter_image": MancenterImage,
    "mancenter": MancenterOption,
    "pull_secret": PullSecret,
    "mode": ModeOption,
    "expose": ExposeOption,
    "link_from": LinkFromOption,
    "link_access": LinkAccessOption,
    "link_host": LinkHost,
    "via": ViaOption,
    "address_timeout": AddressTimeout,
    "app_namespace": AppNamespace,
    "cluster_domain": ClusterDomain,
}
RENDER_SETTINGS = {name: kind for name, kind in UP_SETTINGS.items() if name not in ("via", "address_timeout")}
_NOT_CHECKED = ("image", "mancenter_image", "expose", "address_timeout", "cluster_domain")
CHECK_SETTINGS = {name: kind for name, kind in UP_SETTINGS.items() if name not in _NOT_CHECKED}

# The shared options, for the sites and for the console. Name: annotation, or annotation and default.
SITE_FLAGS: dict[str, Any] = {
    "client_ctx": ClientCtx,
    "cluster_ctx": ClusterCtx,
    "namespace": Namespace,
    "client_ns": ClientNs,
    "cluster_ns": ClusterNs,
    "kubeconfig": Kubeconfig,
    "client_kubeconfig": ClientKubeconfig,
    "cluster_kubeconfig": ClusterKubeconfig,
    "hub_ctx": HubCtx,
    "hub_ns": HubNs,
    "hub_kubeconfig": HubKubeconfig,
    "file": File,
    "name": Name,
    "service": Service,
    "timeout": Timeout,
}
CONSOLE_FLAGS: dict[str, tuple[Any, Any]] = {
    "output": (OutputOption, Output.TABLE),
    "verbose": (Verbose, 0),
    "quiet": (Quiet, False),
    "no_color": (NoColor, False),
}
STATUS_CONSOLE_FLAGS = {**CONSOLE_FLAGS, "output": (StatusOutputOption, StatusOutput.TABLE)}
BENCH_CONSOLE_FLAGS = {**CONSOLE_FLAGS, "output": (BenchOutputOption, BenchOutput.TABLE)}


def shared(
    function: Callable[..., None],
    flags: dict[str, tuple[Any, Any]] = CONSOLE_FLAGS,
    settings: dict[str, Any] | None = None,
) -> Callable[..., None]:
    """Adds the shared options to a command, which gets them as `site_flags` and `console_flags`.

    Those of `settings` come first, and the command gets them as `settings`.
    """
    import inspect

    own = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    collected = ("settings", "site_flags", "console_flags")
    parameters = [
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in (settings or {}).items()),
        *(parameter for name, parameter in own.parameters.items() if name not in collected),
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in SITE_FLAGS.items()),
        *(inspect.Parameter(name, keyword, default=value, annotation=kind) for name, (kind, value) in flags.items()),
    ]

    def command(**values: Any) -> None:
        site_flags = {name: values.pop(name) for name in SITE_FLAGS}
        typed = {name: values.pop(name) for name in flags}
        if settings is not None:
            values["settings"] = {name: values.pop(name) for name in settings}
        function(site_flags=site_flags, console_flags=typed, **values)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command
