"""The command line: one short function for each command, which runs it, shows its result and exits.

At import this loads only typer, so that `--version` and completion are fast. Annotations are not postponed in this
file: typer evaluates them, which would double the start-up time.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hzlink import __version__
from hzlink.cli.command_group import Commands
from hzlink.cli.local_commands import end, member_config_command, version_command
from hzlink.cli.options import (
    AddressTimeout,
    AllowRestart,
    ClusterNameOption,
    CreateNamespace,
    DryRun,
    DumpFile,
    DumpOnFailure,
    EnableLinkAccess,
    ForceConflicts,
    ForceUnlock,
    InCluster,
    LinkFromOption,
    OnlySite,
    OtherCluster,
    ProbeImage,
    PullSecret,
    Repair,
    SkipCheck,
    VerifyOption,
    ViaOption,
    Wait,
    WaitFor,
    Watch,
    Yes,
)
from hzlink.cli.shared_options import (
    BENCH_CONSOLE_FLAGS,
    CHECK_SETTINGS,
    RENDER_SETTINGS,
    SITE_FLAGS,
    STATUS_CONSOLE_FLAGS,
    UP_SETTINGS,
    shared,
)
from hzlink.model.choices import App, Goal

if TYPE_CHECKING:
    from hzlink.cli.console import Console
    from hzlink.config.resolve import Config
    from hzlink.render.result import Result

app = typer.Typer(
    name="hzlink",
    cls=Commands,
    help="Links Hazelcast clients in one Kubernetes cluster to a Hazelcast cluster in another, through Skupper.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
@partial(shared, settings=UP_SETTINGS)
def up_command(
    *,
    enable_link_access: EnableLinkAccess = False,
    create_namespace: CreateNamespace = False,
    skip_check: SkipCheck = False,
    dry_run: DryRun = False,
    force_unlock: ForceUnlock = False,
    force_conflicts: ForceConflicts = False,
    allow_restart: AllowRestart = False,
    dump_on_failure: DumpOnFailure = False,
    repair: Repair = False,
    verify: VerifyOption = False,
    settings: Any,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Apply, link and wait until clients can use the members. Safe to repeat: a second run writes nothing."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.dump import after_up
        from hzlink.commands.up import up
        from hzlink.config import members_source
        from hzlink.config.resolve import with_consent

        if allow_restart:
            members_source.refuse_restart(config.topology)
        config = with_consent(config, enable_link_access=enable_link_access)
        running = up(
            config,
            console.emit,
            create_namespace=create_namespace,
            dry_run=dry_run,
            skip_check=skip_check,
            force_unlock=force_unlock,
            force_conflicts=force_conflicts,
            repair=repair,
            confirm=lambda lines: allow_restart or console.ask_restart(lines),
        )
        if verify and not dry_run:
            from hzlink.commands.verify import verify_after

            running = verify_after(running, config, console.emit)
        return after_up(config, console.emit, running, dump_on_failure)

    _run("up", site_flags | settings, console_flags, work)


@app.command("link")
@shared
def link_command(
    *,
    link_from: LinkFromOption = None,
    via: ViaOption = None,
    address_timeout: AddressTimeout = None,
    enable_link_access: EnableLinkAccess = False,
    dry_run: DryRun = False,
    force_unlock: ForceUnlock = False,
    repair: Repair = False,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Link sites that already run, or repair their link. Changes nothing else."""
    settings = {"link_from": link_from, "via": via, "address_timeout": address_timeout}

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.link import link
        from hzlink.config.resolve import with_consent

        config = with_consent(config, enable_link_access=enable_link_access)
        return link(config, console.emit, dry_run=dry_run, force_unlock=force_unlock, repair=repair)

    _run("link", site_flags | settings, console_flags, work)


@app.command("status")
@partial(shared, flags=STATUS_CONSOLE_FLAGS)
def status_command(
    *, watch: Watch = False, wait: Wait = False, wait_for: WaitFor = None, site_flags: Any, console_flags: Any
) -> None:
    """Show every site, link and member, and the first broken hop. Never writes, never hangs."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.status import Following, follow, status

        if not (watch or wait or wait_for):
            return status(config, console.prepare, single=console.output in ("svg", "mermaid"))
        goal = (wait_for or Goal.HEALTHY) if wait or wait_for else None
        limit = config.timeout if goal or site_flags["timeout"] else None
        view = console.follow() if watch else None
        return follow(config, Following(goal, limit, view, console.emit))

    _run("status", site_flags, console_flags, work)


@app.command("check")
@partial(shared, settings=CHECK_SETTINGS)
def check_command(
    *,
    enable_link_access: EnableLinkAccess = False,
    settings: Any,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Check what `up` needs: tools, rights, Skupper, names. Never writes, never hangs; `up` runs it first."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.check import check
        from hzlink.config.resolve import with_consent

        return check(with_consent(config, enable_link_access=enable_link_access))

    _run("check", site_flags | settings, console_flags, work)


@app.command("verify")
@shared
def verify_command(
    *,
    cluster_name: ClusterNameOption = None,
    in_cluster: InCluster = False,
    probe_image: ProbeImage = None,
    pull_secret: PullSecret = None,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Verify with traffic: a real Hazelcast client calls every member by name through each client site's Services."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.verify import verify

        return verify(config, console.emit, cluster_name=cluster_name, in_cluster=in_cluster)

    settings = {"probe_image": probe_image, "pull_secret": pull_secret}
    _run("verify", site_flags | settings, console_flags, work)


@app.command("bench")
@partial(shared, flags=BENCH_CONSOLE_FLAGS)
def bench_command(
    *,
    seconds: Annotated[
        float,
        typer.Option("--seconds", help="Seconds for each value size and each path (default: 2).", min=0.1, max=600),
    ] = 2.0,
    site: Annotated[str | None, typer.Option("--site", help="The client site (default: the first).")] = None,
    cluster_name: ClusterNameOption = None,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Measure round trips to the members through the link, compared with direct ones at the cluster site."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.bench import bench

        return bench(config, console.emit, seconds=seconds, only=site, cluster_name=cluster_name)

    _run("bench", site_flags, console_flags, work)


@app.command("open")
@shared
def open_command(
    *,
    what: Annotated[App, typer.Argument(help="mancenter (Management Center), or console (Skupper's network console).")],
    port: Annotated[int, typer.Option("--port", help="Local port (default: a free port).", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser", help="Open the address in the browser.")] = False,
    site: Annotated[
        str | None, typer.Option("--site", help="Site whose application to open (default: the first client site).")
    ] = None,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Forward a port on 127.0.0.1 to Management Center and print the address. Runs until ^C."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.open import open_app

        return open_app(config, what, console.emit, console.show, only=site, port=port, browser=browser)

    _run("open", site_flags, console_flags, work)


@app.command("down")
@shared
def down_command(
    *,
    yes: Yes = False,
    site: OnlySite = None,
    force_unlock: ForceUnlock = False,
    other_cluster: OtherCluster = False,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Remove what hzlink created, and nothing else. Shows the list first and checks the result."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.down import down

        return down(
            config,
            console.emit,
            lambda lines: yes or console.ask(lines),
            only=site or (),
            force_unlock=force_unlock,
            other_cluster=other_cluster,
        )

    _run("down", site_flags, console_flags, work)


@app.command("render")
@partial(shared, settings=RENDER_SETTINGS)
def render_command(
    *,
    settings: Any,
    site_flags: Any,
    console_flags: Any,
) -> None:
    """Print the manifests that `up` would apply, as YAML, for GitOps. Needs no cluster without --members-from."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.render import render

        return render(config)

    _run("render", site_flags | settings, console_flags, work)


@app.command("dump")
@shared
def dump_command(*, target: DumpFile = None, site_flags: Any, console_flags: Any) -> None:
    """Write a support bundle of every site, without secrets: objects, events, logs, versions, and a summary."""

    def work(config: "Config", console: "Console") -> Coroutine[Any, Any, "Result"]:
        from hzlink.commands.dump import dump

        return dump(config, console.emit, target)

    _run("dump", site_flags, console_flags, work)


app.command("version")(version_command)
app.command("member-config")(member_config_command)


def leave_out_others(typed: str) -> None:
    """Leaves the other commands out of `app` if a command's name is typed first.

    typer builds every command at each start, which takes longer than most of hzlink's own work.
    """
    found = [command for command in app.registered_commands if command.name == typed]
    app.registered_commands = found or app.registered_commands


Work = Callable[["Config", "Console"], Coroutine[Any, Any, "Result"]]


def _run(command: str, values: dict[str, Any], console_flags: dict[str, Any], work: Work) -> None:
    """Resolves the configuration, runs the command, shows its result, and exits with its status."""
    from hzlink.cli import error_boundary
    from hzlink.cli.console import Console

    console = Console(**console_flags)
    error_boundary.record_flags(values, SITE_FLAGS, UP_SETTINGS)
    end(console, error_boundary.of(command, values, console, work))
