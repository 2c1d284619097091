"""The options, each with its help, and what gives a command those that every command shares.

Annotations are not postponed in this file: typer reads them, and evaluating their texts takes as long as all else.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from hzlink.model.choices import Expose, Goal, LinkFrom, Mode, Via

SITES, OUTPUT = "Sites", "Output"


class Output(StrEnum):
    """What stdout gets."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


class StatusOutput(StrEnum):
    """What stdout gets of a status: the above, and pictures of the paths."""

    TABLE = "table"
    WIDE = "wide"
    TREE = "tree"
    JSON = "json"
    YAML = "yaml"
    SVG = "svg"
    MERMAID = "mermaid"


class BenchOutput(StrEnum):
    """What stdout gets of a comparison: what any command gives, and a picture."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    SVG = "svg"


ClientCtx = Annotated[
    list[str] | None,
    typer.Option("--client-ctx", help="Context of a client site; once for each.", rich_help_panel=SITES),
]
ClusterCtx = Annotated[
    str | None, typer.Option("--cluster-ctx", help="Context of the cluster site.", rich_help_panel=SITES)
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Namespace of every site (else each context's own).", rich_help_panel=SITES),
]
ClientNs = Annotated[
    list[str] | None,
    typer.Option("--client-ns", help="Namespace of the client sites: one for all, or one each.", rich_help_panel=SITES),
]
ClusterNs = Annotated[
    str | None, typer.Option("--cluster-ns", help="Namespace of the cluster site.", rich_help_panel=SITES)
]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", help="Kubeconfig file.", rich_help_panel=SITES)]
ClientKubeconfig = Annotated[
    str | None, typer.Option("--client-kubeconfig", help="Kubeconfig of the client sites.", rich_help_panel=SITES)
]
ClusterKubeconfig = Annotated[
    str | None, typer.Option("--cluster-kubeconfig", help="Kubeconfig of the cluster site.", rich_help_panel=SITES)
]
File = Annotated[
    str | None,
    typer.Option("--file", "-f", help="Settings from a file (./hzlink.yaml if there).", rich_help_panel=SITES),
]
Name = Annotated[
    str | None, typer.Option("--name", help="The topology's name (default: hazelcast).", rich_help_panel=SITES)
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="What standard output gets.", rich_help_panel=OUTPUT)
]
StatusOutputOption = Annotated[
    StatusOutput,
    typer.Option("--output", "-o", help="What standard output gets; wide: every hop.", rich_help_panel=OUTPUT),
]
BenchOutputOption = Annotated[
    BenchOutput,
    typer.Option("--output", "-o", help="What standard output gets; svg: a picture.", rich_help_panel=OUTPUT),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", help="Seconds for the whole command (default: 180).", rich_help_panel=OUTPUT),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="Tell every program run (-vv: with tracebacks).",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors only.", rich_help_panel=OUTPUT)]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.", rich_help_panel=OUTPUT)]
MembersOption = Annotated[int | None, typer.Option("--members", help="How many Hazelcast members (default: 3).")]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image of the members.")]
ModeOption = Annotated[
    Mode | None, typer.Option("--mode", help="smart: a client reaches every member by name; unisocket: one connection.")
]
ExposeOption = Annotated[Expose | None, typer.Option("--expose", help="Service type of Management Center.")]
LinkFromOption = Annotated[LinkFrom | None, typer.Option("--link-from", help="Which side issues the token.")]
ViaOption = Annotated[Via | None, typer.Option("--via", help="Link with the skupper CLI, or through kubectl.")]
AddressTimeout = Annotated[
    float | None,
    typer.Option("--address-timeout", help="Seconds that auto waits for a load balancer's address (default: 60)."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
CreateNamespace = Annotated[
    bool, typer.Option("--create-namespace", help="Create namespaces that are not there; `down` removes them.")
]
ForceUnlock = Annotated[
    bool, typer.Option("--force-unlock", help="Take the lock from another run, such as one whose machine is gone.")
]
SkipCheck = Annotated[
    bool, typer.Option("--skip-check", help="Do not check first what is needed (`hzlink check` does it alone).")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Go on looking, and show what changes, until ^C (or --timeout).")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is so (--for); exit 4 when --timeout is over.")]
WaitFor = Annotated[Goal | None, typer.Option("--for", help="What --wait waits for (default: healthy).")]
VerifyOption = Annotated[bool, typer.Option("--verify", help="End with `hzlink verify`.")]
ClusterNameOption = Annotated[
    str | None, typer.Option("--cluster-name", help="Hazelcast's own name of the cluster (default: dev).")
]
InCluster = Annotated[
    bool, typer.Option("--in-cluster", help="Do it from a Job in each client site's namespace: no port is forwarded.")
]
ProbeImage = Annotated[
    str | None, typer.Option("--probe-image", help="Image of that Job, with Python 3.11+ (default: python:3.13-slim).")
]
OnlySite = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site (by its name in `status`), when another is gone.")
]

DumpOnFailure = Annotated[
    bool, typer.Option("--dump-on-failure", help="Write a support bundle (`hzlink dump`) when it fails.")
]
DumpFile = Annotated[
    str | None,
    typer.Argument(metavar="[FILE]", help="The archive (default: hzlink-dump-TOPOLOGY-TIME.tar.gz in this folder)."),
]


# What every command shares: which sites, and what the console shows. Name: annotation, or annotation and default.
SITE_FLAGS: dict[str, Any] = {
    "client_ctx": ClientCtx,
    "cluster_ctx": ClusterCtx,
    "namespace": Namespace,
    "client_ns": ClientNs,
    "cluster_ns": ClusterNs,
    "kubeconfig": Kubeconfig,
    "client_kubeconfig": ClientKubeconfig,
    "cluster_kubeconfig": ClusterKubeconfig,
    "file": File,
    "name": Name,
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


def shared(function: Callable[..., None], flags: dict[str, tuple[Any, Any]] = CONSOLE_FLAGS) -> Callable[..., None]:
    """Gives a command the options that every command shares, and passes them as `site_flags` and `console_flags`."""
    import inspect

    own = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *(parameter for name, parameter in own.parameters.items() if name not in ("site_flags", "console_flags")),
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in SITE_FLAGS.items()),
        *(inspect.Parameter(name, keyword, default=value, annotation=kind) for name, (kind, value) in flags.items()),
    ]

    def command(**values: Any) -> None:
        site_flags = {name: values.pop(name) for name in SITE_FLAGS}
        typed = {name: values.pop(name) for name in flags}
        function(site_flags=site_flags, console_flags=typed, **values)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command
