"""Compares the stand-in with a transcript of the real Skupper: the same commands in the same situations."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from itertools import groupby

import pytest

from sandbox.api import kinds as core
from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller import kinds
from tests.sandboxed import until
from tests.standin.topology import COLLECTED, SECONDS, Topology
from tests.standin.transcript import FILE, Run, columns, common, read

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    if not FILE.is_file():
        pytest.skip("the transcript is not here (SKUPPER_TRANSCRIPT)")
    return read(FILE)


def find(runs: Sequence[Run], command: str, section: str = "") -> Run:
    """The first run of a command with this beginning, in a section with this beginning."""
    for run in runs:
        if run.command.startswith(command) and run.section.startswith(section):
            return run
    raise AssertionError(f"the transcript has no {command!r} in {section!r}")


def replay(topology: Topology, command: str) -> tuple[str, int]:
    """Runs the skupper commands of a line, one after the other, in the topology's namespace."""
    output, code = "", 0
    for part in command.split(";"):
        program, *arguments = shlex.split(part, comments=True)
        assert program == "skupper", part
        done = topology.skupper(*[topology.name if argument == "hz" else argument for argument in arguments])
        output, code = output + done.stdout, done.returncode
    return output, code


def assert_same(topology: Topology, run: Run) -> None:
    output, code = replay(topology, run.command)
    assert common(output) == common(run.output)
    assert code == run.code


def kubectl(topology: Topology, context: str, *arguments: str) -> str:
    return topology.sandbox.kubectl(context, "-n", topology.name, *arguments)


def status_rows(topology: Topology, server: str, *resources: Resource) -> list[tuple[str, ...]]:
    """The rows that the real `skupper site|link|listener status` shows of these objects."""
    rows = []
    for resource in resources:
        for obj in topology.list(server, resource):
            status, spec = obj.get("status", {}), obj.get("spec", {})
            more: tuple[object, ...] = ()
            if resource == kinds.LINKS:
                more = (spec.get("cost", 0),)
            elif resource == kinds.LISTENERS:
                matched = "true" if status.get("hasMatchingConnector") else "false"
                more = (spec["routingKey"], spec["host"], spec["port"], matched)
            cells = (obj["metadata"]["name"], status.get("status", ""), *more, status.get("message", ""))
            rows.append(tuple(common(str(cell)) for cell in cells))
    return rows


def recorded_rows(output: str) -> list[tuple[str, ...]]:
    """The rows of the recorded tables, without their headers."""
    tables = [line for line in common(output).splitlines() if "\t" in line and not line.startswith("NAME")]
    return [tuple(re.split(r"\t+", line)) for line in tables]


def token_table(output: str) -> str:
    """The AccessTokens' table of an output with several tables, without the kind before each name."""
    tables = output.replace("accesstoken.skupper.io/", " " * len("accesstoken.skupper.io/")).split("\n\n")
    return next(table for table in tables if "REDEEMED" in table)


# No Site

NO_SITE = [
    "skupper -c cluster -n hz token issue t0.yaml",
    "skupper -c client -n hz version",
]


@pytest.mark.parametrize("command", NO_SITE)
def test_no_site(topology: Topology, runs: list[Run], command: str) -> None:
    assert_same(topology, find(runs, command, "Failure 0"))


def test_wrong_names(topology: Topology, runs: list[Run]) -> None:
    run = find(runs, "skupper -c nosuch")
    no_context, _, no_site = run.output.splitlines()
    output, _ = replay(topology, "skupper -c nosuch -n hz token issue x.yaml")
    assert common(output) == no_context
    output, code = replay(topology, run.command.split(";")[-1].strip())
    assert (common(output), code) == (no_site, run.code)


# Site and token


def test_from_not_ready_to_redeemed(topology: Topology, runs: list[Run]) -> None:
    seed = [run for run in runs if run.section.startswith("FULL SEED RUN")]
    # On a busy machine the Site could be ready before the CLI has started.
    topology.fault(site="never-ready")
    topology.make("cluster", kinds.SITES, "c01", linkAccess="default")
    early = find(seed, "skupper -c cluster -n hz token issue early.yaml")
    assert_same(topology, early)
    topology.fault()
    topology.wait_for("cluster", kinds.SITES, "c01", "Ready", "OK")
    topology.site("client", "c02", "default")
    ready = find(seed, "for i in $(seq 300)").output
    ours = [row for server in ("cluster", "client") for row in status_rows(topology, server, kinds.SITES)]
    assert ours == recorded_rows(ready)

    issued = find(seed, "skupper -c cluster -n hz token issue accesstoken.yaml")
    assert_same(topology, issued)
    redeemed = find(seed, "skupper -c client -n hz token redeem accesstoken.yaml")
    assert_same(topology, redeemed)
    again = find(runs, "skupper -c client -n hz token redeem accesstoken.yaml", "failure 2")
    assert_same(topology, again)


def test_issue_and_redeem_take_a_second(topology: Topology, runs: list[Run]) -> None:
    """Both check first after one second, and then end soon."""
    topology.sites()
    assert 1.0 < find(runs, "skupper -c client -n hz token redeem", "FULL SEED RUN").seconds < 1.2
    for arguments in (("cluster", "token", "issue", "t.yaml"), ("client", "token", "redeem", "t.yaml")):
        began = time.monotonic()
        done = topology.on(*arguments)
        assert done.returncode == 0, done.stdout
        assert 1.0 < time.monotonic() - began < 50.0


def test_used_and_unreachable_tokens(topology: Topology, runs: list[Run]) -> None:
    topology.sites()
    assert topology.on("cluster", "token", "issue", "accesstoken.yaml").returncode == 0
    assert topology.on("client", "token", "redeem", "accesstoken.yaml").returncode == 0
    text = (topology.folder / "accesstoken.yaml").read_text()
    renamed = re.sub(r"name: .*", "name: second-use", text, count=1)
    (topology.folder / "used.yaml").write_text(renamed)
    unreachable = re.sub(r"name: .*", "name: unreach", text, count=1)
    (topology.folder / "unreach.yaml").write_text(re.sub(r"//[\d.]+:", "//192.0.2.99:", unreachable))

    used = find(runs, "sed", "failure 2")
    output, code = replay(topology, "skupper -c client -n hz token redeem used.yaml --timeout 10s")
    assert (common(output), code) == (common(used.output), used.code)
    spec = _file_spec(topology, "unreach.yaml")
    topology.make("client", kinds.TOKENS, "unreach", **spec)
    topology.wait_for("client", kinds.TOKENS, "unreach", "Error")

    expected = find(runs, "kubectl --context client -n hz get accesstoken -o wide", "failure 3").output
    shown = kubectl(topology, "client", "get", "accesstoken", "-o", "wide")
    names = ("REDEEMED", "STATUS", "MESSAGE")
    ours, real = columns(token_table(shown), *names), columns(token_table(expected), *names)
    assert ours[:2] == real[:2]
    # The recorded line was cut after "connect:".
    assert ours[2][:2] == real[2][:2]
    assert re.sub(r"//<ip>", "//X", ours[2][2]).startswith(re.sub(r"//<ip>", "//X", real[2][2]))


def _file_spec(topology: Topology, name: str) -> Obj:
    import yaml

    loaded: Obj = yaml.safe_load((topology.folder / name).read_text())
    return dict(loaded["spec"])


def test_an_expired_token(topology: Topology, runs: list[Run]) -> None:
    section = "expired token"
    topology.sites()
    assert_same(topology, find(runs, "skupper -c cluster -n hz token issue exp.yaml --expiration-window 1s", section))
    issued = find(runs, "skupper -c cluster -n hz token issue exp.yaml --expiration-window 1m", section)
    output, code = replay(topology, issued.command.split(";")[0])
    *said, listed = issued.output.splitlines()
    assert (common(output), code) == (common("\n".join(said)), issued.code)
    mode = oct((topology.folder / "exp.yaml").stat().st_mode & 0o777)
    assert mode == "0o644"
    assert listed.startswith("-rw-r--r--")
    (topology.folder / "exp.yaml").rename(topology.folder / "exp1.yaml")

    (topology.folder / "exp.yaml").write_text("something else")
    assert_same(topology, find(runs, "skupper -c cluster -n hz token issue exp.yaml # the file is there", section))
    assert "something else" not in (topology.folder / "exp.yaml").read_text()

    topology.fault(clock={"cluster": 90})
    late = next(run for run in runs if "exp1.yaml" in run.command)
    output, code = replay(topology, late.command.split(";")[0])
    message, table = late.output.split("NAME", 1)
    assert (common(output), code) == (common(message), 1)
    shown = kubectl(topology, "client", "get", "accesstoken", "-o", "wide")
    assert columns(shown, "STATUS", "MESSAGE")[0] == columns("NAME" + table, "STATUS", "MESSAGE")[0]


def test_broken_and_missing_files(topology: Topology, runs: list[Run]) -> None:
    topology.sites()
    (topology.folder / "bad.yaml").write_text("garbage\n")
    run = find(runs, "echo garbage")
    output, code = replay(topology, "; ".join(run.command.split("; ")[1:]))
    assert (common(output), code) == (common(run.output), run.code)


# Statuses


def test_without_a_load_balancer(topology: Topology, runs: list[Run]) -> None:
    section = "NO LoadBalancer on either side"
    topology.fault(lb={"client": False, "cluster": False})
    topology.make("cluster", kinds.SITES, "c01", linkAccess="default")
    seen: list[str] = []

    def settled() -> bool:
        seen.append("\t".join(status_rows(topology, "cluster", kinds.SITES)[0]))
        return seen[-1].endswith("Pending\tPending")

    until(settled, SECONDS, step=0.0)
    recorded = find(runs, "for i in $(seq 30)", section).output.splitlines()
    states = [line.strip().split(maxsplit=1)[1] for line in recorded]
    # Polling does not see every state; those that it sees must be the real ones, in the same order.
    assert [state for state in states if state in seen] == [state for state, _ in groupby(seen) if state in states]
    assert {line for line in seen if "unready status" in line} <= set(states)

    recorded_json = find(runs, "kubectl --context cluster -n hz get site -o json", section).output
    wanted = re.findall(r'"type":"(\w+)","status":"(\w+)","reason":"(\w+)","message":"(\w+)', recorded_json)
    site = topology.get("cluster", kinds.SITES, "c01") or {}
    ours = [(c["type"], c["status"], c["reason"], c["message"]) for c in site["status"]["conditions"]]
    assert [condition for condition in ours if condition in wanted] == wanted

    assert_same(topology, find(runs, "skupper -c cluster -n hz token issue a.yaml", section))
    shown = kubectl(topology, "cluster", "get", "accessgrant,routeraccess,securedaccess", "-o", "wide")
    recorded_table = find(runs, "kubectl --context cluster -n hz get accessgrant", section).output
    assert re.split(r"\s+", shown.strip()) == re.split(r"\s+", recorded_table.strip())


def test_a_pending_client_site_redeems_a_token(topology: Topology, runs: list[Run]) -> None:
    """Link access without a load balancer: the command refuses, the controller redeems."""
    section = "LoadBalancer only on cluster"
    topology.fault(lb={"client": False})
    topology.make("client", kinds.SITES, "c02", linkAccess="default")
    topology.site("cluster", "c01", "default")
    topology.bindings()
    topology.wait_for("client", kinds.SITES, "c02", "Pending", "Pending")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending", "No matching connectors")
    assert topology.on("cluster", "token", "issue", "accesstoken.yaml").returncode == 0
    refused = find(runs, "skupper -c client -n hz token redeem accesstoken.yaml", section)
    assert replay(topology, refused.command) == (refused.output.splitlines()[0] + "\n", refused.code)
    status = find(runs, "skupper -c client -n hz link status; skupper", section)
    assert "There are no link resources" in status.output
    ours = status_rows(topology, "client", kinds.LINKS, kinds.SITES, kinds.LISTENERS)
    assert ours == recorded_rows(status.output)

    kubectl(topology, "client", "apply", "-f", str(topology.folder / "accesstoken.yaml"))
    (link,) = until(lambda: topology.list("client", kinds.LINKS), SECONDS)
    topology.wake(link["metadata"]["name"])
    topology.wait_for("client", kinds.LINKS, link["metadata"]["name"], "Ready", "OK")
    until(lambda: "hazelcast-2" in topology.services("client"), SECONDS)
    tables = find(runs, "kubectl --context client -n hz get site,accesstoken,link -o wide", "same, AccessToken").output
    shown = kubectl(topology, "client", "get", "site,accesstoken,link", "-o", "wide")
    for table, real, names in zip(
        shown.split("\n\n"),
        tables.split("\n\n"),
        (("STATUS", "MESSAGE"), ("REDEEMED", "STATUS", "MESSAGE"), ("STATUS", "REMOTE SITE", "MESSAGE")),
        strict=True,
    ):
        assert columns(table, *names) == columns(real, *names)


def test_after_the_cluster_side_was_deleted(topology: Topology, runs: list[Run]) -> None:
    section = "DELETE, cluster first"
    topology.sites()
    topology.bindings()
    topology.fault(network="stale")
    assert topology.on("cluster", "token", "issue", "t.yaml").returncode == 0
    assert topology.on("client", "token", "redeem", "t.yaml").returncode == 0
    (link,) = topology.list("client", kinds.LINKS)
    name = link["metadata"]["name"]
    topology.wake(name)
    topology.wait_for("client", kinds.LINKS, name, "Ready", "OK")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Ready", "OK")
    status = find(runs, "skupper -c client -n hz link status", "failure 3")
    assert status_rows(topology, "client", kinds.LINKS) == recorded_rows(status.output)

    topology.delete("cluster", kinds.SITES, "c01")
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not operational")
    status = find(runs, "skupper -c client -n hz link status; skupper -c client -n hz listener", section)
    ours = status_rows(topology, "client", kinds.LINKS, kinds.LISTENERS, kinds.SITES)
    assert ours == recorded_rows(status.output)

    topology.fault()
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending")
    until(lambda: "hazelcast-0" not in topology.services("client"), SECONDS)
    late = find(runs, "kubectl --context client -n hz get site,link,listener,svc -o wide", section).output
    shown = kubectl(topology, "client", "get", "site,link,listener", "-o", "wide")
    names = (
        ("STATUS", "SITES IN NETWORK", "MESSAGE"),
        ("STATUS", "REMOTE SITE", "MESSAGE"),
        ("ROUTING KEY", "PORT", "HOST", "STATUS", "HAS MATCHING CONNECTOR", "MESSAGE"),
    )
    for table, real, wanted in zip(shown.split("\n\n"), late.split("\n\n")[:3], names, strict=True):
        assert columns(table, *wanted) == columns(real, *wanted)

    topology.delete("client", kinds.SITES, "c02")
    topology.delete("client", kinds.LISTENERS, "hazelcast")
    kinds_listed = "svc,deploy,cm,secret,site,listener,connector,link,accesstoken,routeraccess,certificate"

    def left() -> str:
        return kubectl(topology, "client", "get", kinds_listed, "--ignore-not-found", "-o", "wide")

    until(lambda: "site.skupper" not in left() and "service/" not in left() and "secret/" not in left(), COLLECTED)
    until(lambda: "network-status" not in left(), COLLECTED)
    gone = find(runs, "kubectl --context client -n hz get svc,deploy,sts,pods", section).output
    columns_ = ("REDEEMED", "STATUS", "MESSAGE")
    assert columns(token_table(left()), *columns_) == columns(token_table(gone), *columns_)
    assert "configmap/kube-root-ca.crt" in left()


def test_the_fields_of_a_link(topology: Topology, runs: list[Run]) -> None:
    run = find(runs, "skupper -c client -n hz link status -o json")
    topology.sites()
    topology.link()
    (link,) = topology.list("client", kinds.LINKS)
    assert sorted(link) == ["apiVersion", "kind", "metadata", "spec", "status"]
    recorded = set(re.findall(r'^    "(\w+)":', run.output, re.MULTILINE))
    assert recorded <= {*link["metadata"], *link["spec"], *link["status"]}


def test_services_as_kubectl_shows_them(topology: Topology, runs: list[Run]) -> None:
    section = "client site with linkAccess removed"
    topology.sites()
    topology.bindings()
    topology.link()
    until(lambda: "hazelcast-2" in topology.services("client"), SECONDS)
    table = find(runs, "kubectl --context client -n hz get svc,site,link", section).output.split("\n\n")[0]
    real = [row for row in columns(table, "NAME", "TYPE", "PORT(S)") if "mancenter" not in row[0]]
    shown = kubectl(topology, "client", "get", "svc")
    ours = [(f"service/{name}", *rest) for name, *rest in columns(shown, "NAME", "TYPE", "PORT(S)")]
    assert ours == real
    wide = find(runs, "kubectl --context client -n hz get site,link,listener,accesstoken,svc -o wide").output
    selectors = {row[0]: row[1] for row in columns(wide.split("\n\n")[-1], "NAME", "SELECTOR")}
    for service in topology.list("client", core.SERVICES):
        selector = ",".join(f"{key}={value}" for key, value in sorted(service["spec"]["selector"].items()))
        assert selectors[f"service/{service['metadata']['name']}"] == selector
