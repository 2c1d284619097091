"""The command line: options, one short function per command, render, exit. The one error boundary.

Only typer is imported up here: `--version` and completion must not wait for the rest. Annotations are not postponed
in this file: typer reads them, and evaluating their texts takes as long as all else.
"""

from collections.abc import Callable, Coroutine, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from hzlink import __version__
from hzlink.choices import Expose, LinkFrom, Mode, Via
from hzlink.errors import HzlinkError, Interrupted

if TYPE_CHECKING:
    from hzlink.config import Config
    from hzlink.console import Talk
    from hzlink.result import Result

SITES, OUTPUT = "Sites", "Output"


# Click's UsageError. Some versions of typer bring click as a package, others inside themselves.
_REFUSED: Any = typer.BadParameter.__base__


class _Commands(TyperGroup):
    """The commands. What the command line itself refuses is a document, too, where one was asked for."""

    _typed: tuple[str, ...] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keeps what was typed: parsing takes it apart."""
        self._typed = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except _REFUSED as error:
            _show_refusal(self._typed, error)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was typed."""
        try:
            return super().invoke(ctx)
        except _REFUSED as error:
            _show_refusal(self._typed, error)
            raise


def _show_refusal(typed: Sequence[str], error: Any) -> None:
    """Prints the document of a run that did not begin; typer says the error itself, on standard error."""
    output = _wanted_output(typed)
    if output not in ("json", "yaml"):
        return
    from hzlink.console import Talk
    from hzlink.errors import UsageError

    name = error.ctx.info_name if error.ctx is not None and error.ctx.parent is not None else None
    refusal = UsageError(error.format_message(), next_step=f"hzlink {name} --help" if name else "hzlink --help")
    Talk(output, verbose=0, quiet=True, no_color=True).show_document(_failed(name or "hzlink", refusal))


def _wanted_output(typed: Sequence[str]) -> str:
    """What `-o` asked for, read without a parser: that one had given up, perhaps before it came to it."""
    wanted = ""
    for word, after in zip(typed, [*typed[1:], ""], strict=True):
        if word in ("-o", "--output"):
            wanted = after
        elif word.startswith("--output="):
            wanted = word.removeprefix("--output=")
        elif word.startswith("-o"):
            wanted = word[2:]
    return wanted


app = typer.Typer(
    name="hzlink",
    cls=_Commands,
    help="Links a Hazelcast cluster in one Kubernetes cluster to its clients in others, over Skupper.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Output(StrEnum):
    """What stdout gets."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


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
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OnlySite = Annotated[
    list[str] | None, typer.Option("--site", help="Only this site (by its name in `status`), when another is gone.")
]


# What every command shares: where the sites are, and how to talk. Name: annotation, or annotation and default.
_PLACE: dict[str, Any] = {
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
_TALK: dict[str, tuple[Any, Any]] = {
    "output": (OutputOption, Output.TABLE),
    "verbose": (Verbose, 0),
    "quiet": (Quiet, False),
    "no_color": (NoColor, False),
}


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that every command shares, and hands them to it as `place` and `talk`."""
    import inspect

    own = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *(parameter for name, parameter in own.parameters.items() if name not in ("place", "talk")),
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in _PLACE.items()),
        *(inspect.Parameter(name, keyword, default=value, annotation=kind) for name, (kind, value) in _TALK.items()),
    ]

    def command(**values: Any) -> None:
        place = {name: values.pop(name) for name in _PLACE}
        talk = {name: values.pop(name) for name in _TALK}
        function(place=place, talk=talk, **values)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hzlink {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    pass


@app.command("up")
@shared
def up_command(
    *,
    members: MembersOption = None,
    image: ImageOption = None,
    mode: ModeOption = None,
    expose: ExposeOption = None,
    link_from: LinkFromOption = None,
    via: ViaOption = None,
    address_timeout: AddressTimeout = None,
    create_namespace: CreateNamespace = False,
    dry_run: DryRun = False,
    place: Any,
    talk: Any,
) -> None:
    """Bring everything up: apply, link, wait, show. Safe to repeat: a second run writes nothing."""
    settings = {
        "members": members,
        "image": image,
        "mode": mode,
        "expose": expose,
        "link_from": link_from,
        "via": via,
        "address_timeout": address_timeout,
    }

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.up import up

        return up(config, console.emit, create_namespace=create_namespace, dry_run=dry_run)

    _run("up", place | settings, talk, work)


@app.command("link")
@shared
def link_command(
    *,
    link_from: LinkFromOption = None,
    via: ViaOption = None,
    address_timeout: AddressTimeout = None,
    dry_run: DryRun = False,
    place: Any,
    talk: Any,
) -> None:
    """Link, or mend the link of, sites that already run. Changes nothing else."""
    settings = {"link_from": link_from, "via": via, "address_timeout": address_timeout}

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.link import link

        return link(config, console.emit, dry_run=dry_run)

    _run("link", place | settings, talk, work)


@app.command("status")
@shared
def status_command(*, place: Any, talk: Any) -> None:
    """Show every site, link and member, and the first broken hop. Never writes, never hangs."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.status import status

        return status(config, console.prepare)

    _run("status", place, talk, work)


@app.command("down")
@shared
def down_command(*, yes: Yes = False, site: OnlySite = None, place: Any, talk: Any) -> None:
    """Remove what hzlink made, and nothing else. Shows the list first, and looks again afterwards."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.down import down

        return down(config, console.emit, lambda lines: yes or console.ask(lines), only=site or ())

    _run("down", place, talk, work)


@app.command("render")
@shared
def render_command(
    *,
    members: MembersOption = None,
    image: ImageOption = None,
    mode: ModeOption = None,
    expose: ExposeOption = None,
    link_from: LinkFromOption = None,
    place: Any,
    talk: Any,
) -> None:
    """Print the manifests that `up` would apply, as YAML, for GitOps. Asks no cluster."""
    settings = {"members": members, "image": image, "mode": mode, "expose": expose, "link_from": link_from}

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.render import render

        return render(config)

    _run("render", place | settings, talk, work)


Work = Callable[["Config", "Talk"], Coroutine[Any, Any, "Result"]]


def _run(command: str, values: dict[str, Any], talk: dict[str, Any], work: Work) -> None:
    """Resolves the configuration, runs the command, shows its result, and exits with its status."""
    from hzlink.console import Talk

    console = Talk(**talk)
    _remember_places(values)
    result = _outcome(command, values, console, work)
    console.show(result)
    raise typer.Exit(int(result.status))


def _remember_places(values: dict[str, Any]) -> None:
    """For the commands that hzlink proposes: they must speak of the same sites."""
    from hzlink import hints

    hints.typed_places.clear()
    for name in _PLACE:
        value = values[name]
        for one in value if isinstance(value, list) else [value]:
            if one is not None and name != "timeout":
                flag = f"--{name.replace('_', '-')}"
                hints.typed_places.extend([f"{flag}={one}"] if one.startswith("-") else [flag, one])


def _outcome(command: str, values: dict[str, Any], console: "Talk", work: Work) -> "Result":
    """The command's result; an error becomes one, too. Only a bug passes, and even that without a traceback."""
    from hzlink import config, hints
    from hzlink.running import run

    try:
        return run(work(config.resolve(config.Flags.typed(values)), console))
    except HzlinkError as error:
        return _failed(command, error)
    except KeyboardInterrupt:
        return _failed(
            command, Interrupted("interrupted", next_step=f"{hints.hzlink(command)}   (goes on where this ended)")
        )
    except Exception as error:
        if console.verbose >= 2:
            raise
        said = f"{type(error).__name__}: {error}"
        return _failed(
            command,
            HzlinkError("hzlink made a mistake", said=said, next_step=f"{hints.hzlink(command)} -vv   (shows where)"),
        )


def _failed(command: str, error: HzlinkError) -> "Result":
    from hzlink.result import of_errors

    return of_errors(command, [error])
