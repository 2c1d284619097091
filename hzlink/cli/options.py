"""The options with their help.

Annotations are not postponed in this file: typer evaluates them, which would double the start-up time.
"""

from enum import StrEnum
from typing import Annotated

import typer

from hzlink.model.choices import Expose, Goal, LinkAccess, LinkFrom, ModeChoice, Via

SITES, OUTPUT = "Sites", "Output"


class Output(StrEnum):
    """Output formats of most commands."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


class StatusOutput(StrEnum):
    """Output formats of `status`, which include pictures of the paths."""

    TABLE = "table"
    WIDE = "wide"
    TREE = "tree"
    JSON = "json"
    YAML = "yaml"
    SVG = "svg"
    MERMAID = "mermaid"


class BenchOutput(StrEnum):
    """Output formats of `bench`, which include a bar chart."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    SVG = "svg"


ClientCtx = Annotated[
    list[str] | None,
    typer.Option("--client-ctx", help="kubeconfig context of a client site; repeatable.", rich_help_panel=SITES),
]
ClusterCtx = Annotated[
    str | None,
    typer.Option(
        "--cluster-ctx", help="kubeconfig context of the cluster site, where the members run.", rich_help_panel=SITES
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", help="Namespace of every site (default: each context's own).", rich_help_panel=SITES
    ),
]
ClientNs = Annotated[
    list[str] | None,
    typer.Option(
        "--client-ns",
        help="Namespace of the client sites: one for all, or repeated for each --client-ctx (default: --namespace).",
        rich_help_panel=SITES,
    ),
]
ClusterNs = Annotated[
    str | None,
    typer.Option("--cluster-ns", help="Namespace of the cluster site (default: --namespace).", rich_help_panel=SITES),
]
Kubeconfig = Annotated[
    str | None,
    typer.Option(
        "--kubeconfig",
        help="kubeconfig file of every site (default: $KUBECONFIG or ~/.kube/config).",
        rich_help_panel=SITES,
    ),
]
ClientKubeconfig = Annotated[
    str | None,
    typer.Option(
        "--client-kubeconfig",
        help="kubeconfig file of the client sites (default: --kubeconfig).",
        rich_help_panel=SITES,
    ),
]
ClusterKubeconfig = Annotated[
    str | None,
    typer.Option(
        "--cluster-kubeconfig",
        help="kubeconfig file of the cluster site (default: --kubeconfig).",
        rich_help_panel=SITES,
    ),
]
HubCtx = Annotated[
    str | None,
    typer.Option("--hub-ctx", help="kubeconfig context of a hub for both sides; '' for none.", rich_help_panel=SITES),
]
HubNs = Annotated[
    str | None, typer.Option("--hub-ns", help="Namespace of the hub (default: --namespace).", rich_help_panel=SITES)
]
HubKubeconfig = Annotated[
    str | None,
    typer.Option("--hub-kubeconfig", help="kubeconfig file of the hub (default: --kubeconfig).", rich_help_panel=SITES),
]
File = Annotated[
    str | None,
    typer.Option(
        "--file", "-f", help="File with settings (default: ./hzlink.yaml, if it exists).", rich_help_panel=SITES
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="Name of the topology (default: --service, or hazelcast).", rich_help_panel=SITES),
]
Service = Annotated[
    str | None,
    typer.Option(
        "--service",
        help="Name of the Service that clients call, and of hzlink's own objects (default: hazelcast).",
        rich_help_panel=SITES,
    ),
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="Output format (default: table).", rich_help_panel=OUTPUT)
]
StatusOutputOption = Annotated[
    StatusOutput,
    typer.Option(
        "--output", "-o", help="Output format; wide and tree show every hop (default: table).", rich_help_panel=OUTPUT
    ),
]
BenchOutputOption = Annotated[
    BenchOutput,
    typer.Option("--output", "-o", help="Output format; svg is a bar chart (default: table).", rich_help_panel=OUTPUT),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        help="Time limit of the command: 90s, 3m, 1h30m, or seconds (default: 3m).",
        rich_help_panel=OUTPUT,
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="Print each program that hzlink runs; -vv also prints tracebacks.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.", rich_help_panel=OUTPUT)]
NoColor = Annotated[bool, typer.Option("--no-color", help="Print without colours.", rich_help_panel=OUTPUT)]
MembersOption = Annotated[
    int | None, typer.Option("--members", help="Number of Hazelcast members, 1 to 100 (default: 3).")
]
ImageOption = Annotated[
    str | None, typer.Option("--image", help="Container image of the members (default: hazelcast/hazelcast:5.5.0).")
]
MancenterImage = Annotated[
    str | None,
    typer.Option(
        "--mancenter-image",
        help="Container image of Management Center (default: hazelcast/management-center:5.5.2).",
    ),
]
MancenterOption = Annotated[
    bool | None,
    typer.Option(
        "--mancenter/--no-mancenter",
        help="Whether client sites have Management Center (default: --mancenter).",
        show_default=False,
    ),
]
PullSecret = Annotated[
    list[str] | None,
    typer.Option(
        "--pull-secret",
        metavar="NAME",
        help="Secret for pulling images (imagePullSecrets) of all pods that hzlink makes, in each site's namespace; "
        "repeatable; '' for none.",
    ),
]
MembersFrom = Annotated[
    str | None,
    typer.Option(
        "--members-from",
        metavar="WHERE",
        help="Use members that exist and change none: statefulset/NAME, deployment/NAME, selector/KEY=VALUE,... "
        "(default: none, hzlink deploys them).",
    ),
]
MembersPort = Annotated[
    int | None,
    typer.Option(
        "--members-port",
        help="Port of the members of --members-from for clients (default: their container port named hazelcast, or "
        "5701).",
    ),
]
HazelcastCluster = Annotated[
    str | None,
    typer.Option(
        "--hazelcast-cluster",
        help="Name of the Hazelcast cluster of --members-from (default: as the members' logs say; hzlink's own: dev).",
    ),
]
ModeOption = Annotated[
    ModeChoice | None,
    typer.Option(
        "--mode",
        help="How clients connect: smart (to every member by name), unisocket (to one), or auto: smart if clients can "
        "use the addresses that members tell them (default: auto).",
    ),
]
ExposeOption = Annotated[
    Expose | None, typer.Option("--expose", help="Type of Management Center's Service (default: clusterip).")
]
LinkFromOption = Annotated[
    LinkFrom | None,
    typer.Option("--link-from", help="Side that issues the token; auto: one that has an address (default: auto)."),
]
LinkAccessOption = Annotated[
    LinkAccess | None,
    typer.Option(
        "--link-access",
        help="Skupper's access type at the side that issues; auto: local for sites in one cluster, else the Skupper "
        "controller's default (default: auto).",
    ),
]
LinkHost = Annotated[
    str | None,
    typer.Option(
        "--link-host",
        metavar="HOST[:PORT]",
        help="Your own load balancer, proxy, VPN or NodePort in front of the router that the other side connects to "
        "(default port: 55671); empty: none.",
    ),
]
ViaOption = Annotated[
    Via | None,
    typer.Option(
        "--via",
        help="How the link is made: by a token with skupper or kubectl, or without one (link); auto: skupper if it is "
        "installed, else kubectl; link if no grant server can be reached (default: auto).",
    ),
]
EnableLinkAccess = Annotated[
    bool,
    typer.Option(
        "--enable-link-access",
        help="Set linkAccess on an issuing Skupper Site that hzlink did not make; `down` sets it back.",
    ),
]
AddressTimeout = Annotated[
    str | None,
    typer.Option(
        "--address-timeout",
        metavar="DURATION",
        help="How long --link-from auto waits for the cluster site's load balancer before it also gives the client "
        "sites link access (default: 60s).",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the steps and change nothing.")]
CreateNamespace = Annotated[
    bool, typer.Option("--create-namespace", help="Create namespaces that do not exist; `down` removes them.")
]
ForceUnlock = Annotated[
    bool, typer.Option("--force-unlock", help="Take the lock from another run, for example if its machine was lost.")
]
OtherCluster = Annotated[
    bool,
    typer.Option("--other-cluster", help="Continue even if a context leads to another cluster than at the last `up`."),
]
ForceConflicts = Annotated[
    bool,
    typer.Option("--force-conflicts", help="Replace values that other field managers have set in hzlink's objects."),
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair", help="Repair what Skupper has lost (see `hzlink status`); may restart a router and says so first."
    ),
]
SkipCheck = Annotated[bool, typer.Option("--skip-check", help="Skip the checks of `hzlink check`.")]
AllowRestart = Annotated[
    bool,
    typer.Option(
        "--allow-restart",
        help="Stop all members without asking, which an --image of another minor version needs.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Watch: redraw when something changes, until ^C or --timeout.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the condition of --for; exit code 4 after --timeout.")]
WaitFor = Annotated[Goal | None, typer.Option("--for", help="Condition that --wait waits for (default: healthy).")]
VerifyOption = Annotated[bool, typer.Option("--verify", help="Run `hzlink verify` at the end.")]
ClusterNameOption = Annotated[
    str | None,
    typer.Option(
        "--hazelcast-cluster",
        "--cluster-name",
        help="Name of the Hazelcast cluster (default: the one of the last `up`, or dev).",
    ),
]
InCluster = Annotated[
    bool,
    typer.Option(
        "--in-cluster", help="Verify from a Job in each client site's namespace instead of through forwarded ports."
    ),
]
AppNamespace = Annotated[
    list[str] | None,
    typer.Option(
        "--app-namespace",
        help="Another namespace in which the names work: NAMESPACE or SITE/NAMESPACE; repeatable; empty: none.",
    ),
]
ClusterDomain = Annotated[
    str | None,
    typer.Option("--cluster-domain", help="DNS domain of the clusters, for --app-namespace (default: cluster.local)."),
]
ProbeImage = Annotated[
    str | None,
    typer.Option(
        "--probe-image", help="Image for --in-cluster, with Python 3.11 or later (default: python:3.13-slim)."
    ),
]
OnlySite = Annotated[
    list[str] | None, typer.Option("--site", help="Remove only the site with this name in `status`; repeatable.")
]

DumpOnFailure = Annotated[
    bool, typer.Option("--dump-on-failure", help="Write a support bundle (`hzlink dump`) if the command fails.")
]
DumpFile = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE]", help="Archive to write (default: hzlink-dump-TOPOLOGY-TIME.tar.gz in this folder)."
    ),
]
