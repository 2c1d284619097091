"""The command line: options, one short function per command, render, exit.

Only typer is imported up here: `--version` and completion must not wait for the rest. Annotations are not postponed
in this file: typer reads them, and evaluating their texts takes as long as all else.
"""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hzlink import __version__
from hzlink.choices import App, Expose, Goal, LinkFrom, Mode, Via

if TYPE_CHECKING:
    from hzlink.config import Config
    from hzlink.console import Talk
    from hzlink.result import Result

SITES, OUTPUT = "Sites", "Output"

app = typer.Typer(
    name="hzlink",
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


class StatusOutput(StrEnum):
    """What stdout gets of a status: the above, and pictures of the paths."""

    TABLE = "table"
    WIDE = "wide"
    TREE = "tree"
    JSON = "json"
    YAML = "yaml"
    SVG = "svg"
    MERMAID = "mermaid"


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
_STATUS_TALK = {**_TALK, "output": (StatusOutputOption, StatusOutput.TABLE)}


def shared(function: Callable[..., None], talking: dict[str, tuple[Any, Any]] = _TALK) -> Callable[..., None]:
    """Gives a command the options that every command shares, and hands them to it as `place` and `talk`."""
    import inspect

    own = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *(parameter for name, parameter in own.parameters.items() if name not in ("place", "talk")),
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in _PLACE.items()),
        *(inspect.Parameter(name, keyword, default=value, annotation=kind) for name, (kind, value) in talking.items()),
    ]

    def command(**values: Any) -> None:
        place = {name: values.pop(name) for name in _PLACE}
        talk = {name: values.pop(name) for name in talking}
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
    skip_check: SkipCheck = False,
    dry_run: DryRun = False,
    force_unlock: ForceUnlock = False,
    dump_on_failure: DumpOnFailure = False,
    verify: VerifyOption = False,
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
        from hzlink.commands.dump import after_up
        from hzlink.commands.up import up

        running = up(
            config,
            console.emit,
            create_namespace=create_namespace,
            dry_run=dry_run,
            skip_check=skip_check,
            force_unlock=force_unlock,
        )
        if verify and not dry_run:
            from hzlink.commands.verify import verify_after

            running = verify_after(running, config, console.emit)
        return after_up(config, console.emit, running, dump_on_failure)

    _run("up", place | settings, talk, work)


@app.command("link")
@shared
def link_command(
    *,
    link_from: LinkFromOption = None,
    via: ViaOption = None,
    address_timeout: AddressTimeout = None,
    dry_run: DryRun = False,
    force_unlock: ForceUnlock = False,
    place: Any,
    talk: Any,
) -> None:
    """Link, or mend the link of, sites that already run. Changes nothing else."""
    settings = {"link_from": link_from, "via": via, "address_timeout": address_timeout}

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.link import link

        return link(config, console.emit, dry_run=dry_run, force_unlock=force_unlock)

    _run("link", place | settings, talk, work)


@app.command("status")
@partial(shared, talking=_STATUS_TALK)
def status_command(
    *, watch: Watch = False, wait: Wait = False, wait_for: WaitFor = None, place: Any, talk: Any
) -> None:
    """Show every site, link and member, and the first broken hop. Never writes, never hangs."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.status import Following, follow, status

        if not (watch or wait or wait_for):
            return status(config, console.prepare)
        goal = (wait_for or Goal.HEALTHY) if wait or wait_for else None
        limit = config.timeout if goal or place["timeout"] else None
        view = console.follow() if watch else None
        return follow(config, Following(goal, limit, view, console.emit))

    _run("status", place, talk, work)


@app.command("check")
@shared
def check_command(
    *,
    members: MembersOption = None,
    mode: ModeOption = None,
    link_from: LinkFromOption = None,
    via: ViaOption = None,
    place: Any,
    talk: Any,
) -> None:
    """Check what `up` needs: tools, rights, Skupper, names. Never writes, never hangs; `up` does it first."""
    settings = {"members": members, "mode": mode, "link_from": link_from, "via": via}

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.check import check

        return check(config)

    _run("check", place | settings, talk, work)


@app.command("verify")
@shared
def verify_command(*, cluster_name: ClusterNameOption = None, place: Any, talk: Any) -> None:
    """Prove it by traffic: a real Hazelcast client calls every member by name through each client site's Services."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.verify import verify

        return verify(config, console.emit, cluster_name=cluster_name)

    _run("verify", place, talk, work)


@app.command("bench")
@shared
def bench_command(
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", help="For each size, through the link and past it.", min=0.1, max=600)
    ] = 2.0,
    svg: Annotated[str | None, typer.Option("--svg", help="Draw it into this file, too.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="The client site (default: the first).")] = None,
    cluster_name: ClusterNameOption = None,
    place: Any,
    talk: Any,
) -> None:
    """Measure round trips to the members through the link, against the same members reached at the cluster site."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.bench import bench

        return bench(config, console.emit, seconds=seconds, svg=svg, only=site, cluster_name=cluster_name)

    _run("bench", place, talk, work)


@app.command("open")
@shared
def open_command(
    *,
    what: Annotated[App, typer.Argument(help="mancenter, or console: Skupper's, where its network observer runs.")],
    port: Annotated[int, typer.Option("--port", help="Local port (default: a free one).", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser", help="Show it in the browser.")] = False,
    site: Annotated[
        str | None, typer.Option("--site", help="The site whose one is meant (default: the first).")
    ] = None,
    place: Any,
    talk: Any,
) -> None:
    """Forward a port on 127.0.0.1 to Management Center and print the address. Runs until ^C."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.open import open_app

        return open_app(config, what, console.emit, console.show, only=site, port=port, browser=browser)

    _run("open", place, talk, work)


@app.command("down")
@shared
def down_command(
    *, yes: Yes = False, site: OnlySite = None, force_unlock: ForceUnlock = False, place: Any, talk: Any
) -> None:
    """Remove what hzlink made, and nothing else. Shows the list first, and looks again afterwards."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.down import down

        return down(
            config,
            console.emit,
            lambda lines: yes or console.ask(lines),
            only=site or (),
            force_unlock=force_unlock,
        )

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


@app.command("dump")
@shared
def dump_command(*, target: DumpFile = None, place: Any, talk: Any) -> None:
    """Write a support bundle of every site, without secrets: objects, events, logs, versions, and a summary."""

    def work(config: "Config", console: "Talk") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.dump import dump

        return dump(config, console.emit, target)

    _run("dump", place, talk, work)


Work = Callable[["Config", "Talk"], Coroutine[Any, Any, "Result"]]


def _run(command: str, values: dict[str, Any], talk: dict[str, Any], work: Work) -> None:
    """Resolves the configuration, runs the command, shows its result, and exits with its status."""
    from hzlink import outcome
    from hzlink.console import Talk

    console = Talk(**talk)
    outcome.remember_places(values, _PLACE)
    result = outcome.of(command, values, console, work)
    console.show(result)
    raise typer.Exit(int(result.status))
