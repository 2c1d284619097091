"""The options of `member-config`.

Annotations are not postponed in this file: typer evaluates them, which would double the start-up time.
"""

from typing import Annotated

import typer

from hzlink.model.choices import ConfigTarget, Discovery

ConfigTargetArgument = Annotated[
    ConfigTarget,
    typer.Argument(help="helm (values), operator (objects for the Platform Operator), or yaml (a hazelcast.yaml)."),
]
ConfigName = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="Helm release, Hazelcast resource, or the members' headless Service (default: hazelcast).",
        show_default=False,
    ),
]
MembersNamespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace of the members (default: left out).")
]
DiscoveryOption = Annotated[
    Discovery | None,
    typer.Option("--discovery", help="How members find each other: Kubernetes API or DNS (default: api)."),
]
OwnClusterName = Annotated[
    str | None,
    typer.Option("--hazelcast-cluster", help="Name of the Hazelcast cluster to set (default: left as it is)."),
]
OperatorMembers = Annotated[
    int | None,
    typer.Option("--members", help="Members that get a Service each; only for operator (default: 3).", min=1, max=100),
]
OperatorNamespace = Annotated[
    str | None,
    typer.Option("--operator-namespace", help="Namespace of the Platform Operator (default: that of the members)."),
]
