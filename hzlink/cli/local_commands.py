"""The commands that need no configuration and no cluster, and how every command ends.

Annotations are not postponed in this file: typer evaluates them, which would double the start-up time.
"""

from functools import partial
from typing import TYPE_CHECKING

import typer

from hzlink.cli.options import (
    ConfigName,
    ConfigTargetArgument,
    DiscoveryOption,
    MembersNamespace,
    NoColor,
    OperatorMembers,
    OperatorNamespace,
    Output,
    OutputOption,
    OwnClusterName,
    Quiet,
    Verbose,
)

if TYPE_CHECKING:
    from hzlink.cli.console import Console
    from hzlink.render.result import Result


def version_command(
    *, output: OutputOption = Output.TABLE, verbose: Verbose = 0, quiet: Quiet = False, no_color: NoColor = False
) -> None:
    """Print the versions of hzlink, kubectl, the skupper CLI and Python."""
    from hzlink.cli import error_boundary
    from hzlink.cli.console import Console
    from hzlink.commands.version import version

    console = Console(output, verbose, quiet, no_color)
    end(console, error_boundary.guarded("version", console, version))


def member_config_command(
    *,
    target: ConfigTargetArgument,
    name: ConfigName = None,
    namespace: MembersNamespace = None,
    discovery: DiscoveryOption = None,
    hazelcast_cluster: OwnClusterName = None,
    members: OperatorMembers = None,
    operator_namespace: OperatorNamespace = None,
    output: OutputOption = Output.TABLE,
    verbose: Verbose = 0,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Print what to merge into your own members' configuration, so that clients can call each member by name."""
    from hzlink.cli import error_boundary
    from hzlink.cli.console import Console
    from hzlink.commands.member_config import member_config

    console = Console(output, verbose, quiet, no_color)
    work = partial(
        member_config,
        target,
        name,
        console.emit,
        namespace=namespace,
        discovery=discovery,
        hazelcast_cluster=hazelcast_cluster,
        members=members,
        operator_namespace=operator_namespace,
    )
    end(console, error_boundary.guarded("member-config", console, work))


def end(console: "Console", result: "Result") -> None:
    """Shows the result and exits with its status."""
    console.show(result)
    raise typer.Exit(int(result.status))
