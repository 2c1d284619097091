"""`hzlink dump` against fake API servers with secrets planted in every place that can hold one."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hzlink.model.objects import Object
from tests.cli import cluster_objects as make
from tests.cli import fake_api, golden_files, situations
from tests.cli.assertions import is_clean, refused
from tests.cli.fake_api import FakeApi
from tests.cli.program import Ended, User
from tests.cli.situations import CORE, EDGE

Serve = Callable[[FakeApi], FakeApi]
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")

# Each has its own number, which shows where a leaked one was planted.
PLANTED = [f"Sw0rdf1sh{number:02}Sw0rdf1sh{number:02}" for number in range(16)]
IN_SECRET, GRANT_CODE, GRANT_CA, TOKEN_CODE, TOKEN_CA, IN_LAST_APPLIED, IN_ANNOTATION, IN_ENV = PLANTED[:8]
IN_CONFIG, IN_FILE, IN_LOG, IN_PREVIOUS, BEARER, IN_EVENT, IN_ARGS, IN_INIT_LOG = PLANTED[8:]
# In pieces: tests/rules refuses files that look as if they contained a key.
PEM_LINE = base64.b64encode(bytes(range(48))).decode()
PEM = f"-----BEGIN {'PRIVATE'} KEY-----\n{PEM_LINE}\nabcd12==\n-----END {'PRIVATE'} KEY-----"
# A line that must not be redacted.
TELLING = "2026-03-01T10:00:01.000000000Z Members {size:3, ver:3} telling"


def _with(item: Object, **parts: Any) -> Object:
    return {**item, **parts}


def core_items() -> list[Object]:
    """A healthy cluster site with a secret in each place that can hold one."""
    items = list(situations.healthy().snapshots[CORE].items)
    env = [{"name": "HZ_LICENSEKEY", "value": IN_ENV}, {"name": "JAVA_OPTS", "value": "-Xmx1g -Dkeep=me"}]
    spec = {
        "initContainers": [{"name": "first"}],
        "containers": [{"name": "hazelcast", "image": "example.org/hz:1.2", "env": env, "args": ["--token", IN_ARGS]}],
    }
    status = {
        **make.pod("hazelcast-0", "hazelcast")["status"],
        "containerStatuses": [{"name": "hazelcast", "restartCount": 1, "state": {"running": {}}}],
    }
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"x": IN_LAST_APPLIED}}),
        "example.org/api-token": IN_ANNOTATION,
    }
    member = _with(make.pod("hazelcast-0", "hazelcast"), spec=spec, status=status)
    member["metadata"]["annotations"] = annotations
    return [
        *(item for item in items if item["metadata"]["name"] != "hazelcast-0"),
        member,
        make.item_of(
            "Secret", "tls", data={"tls.key": base64.b64encode(IN_SECRET.encode()).decode(), "ca.crt": "eA=="}
        ),
        make.item_of("AccessGrant", "g", spec={"code": GRANT_CODE}, status={"ca": GRANT_CA, "url": "https://x:9090/1"}),
        make.item_of("ConfigMap", "settings", data={"password": IN_CONFIG, "app.yaml": f"db:\n  secret: {IN_FILE}\n"}),
        make.item_of(
            "Event",
            "e",
            type="Warning",
            reason="Odd",
            message=f"password={IN_EVENT} is wrong",
            lastTimestamp=make.LATER,
            involvedObject={"kind": "Pod", "name": "hazelcast-0"},
        ),
    ]


def edge_items() -> list[Object]:
    """A healthy client site with a token and a Link that contain secrets."""
    items = list(situations.healthy().snapshots[EDGE].items)
    link = make.link("core")
    return [
        *(item for item in items if item["kind"] != "Link"),
        _with(link, spec={**link["spec"], "tls": {"key": PEM}}),
        make.item_of("AccessToken", "t", spec={"code": TOKEN_CODE, "ca": TOKEN_CA, "url": "https://x:9090/1"}),
    ]


LOGS = {
    ("hazelcast-0", "hazelcast", False): "\n".join(
        [
            TELLING,
            f"2026-03-01T10:00:02Z Authorization: Bearer {BEARER}",
            f"2026-03-01T10:00:03Z started with the code {GRANT_CODE}, {TOKEN_CODE} and {IN_ENV}",
            *(f"2026-03-01T10:00:04Z {line}" for line in PEM.splitlines()),
            f"2026-03-01T10:00:05Z db.password={IN_LOG}",
            "",
        ]
    ),
    ("hazelcast-0", "hazelcast", True): f"2026-03-01T09:00:00Z the member stopped, token={IN_PREVIOUS}\n",
    ("hazelcast-0", "first", False): f"2026-03-01T09:00:00Z spec:\n2026-03-01T09:00:00Z   code: {IN_INIT_LOG}\n",
}


@pytest.fixture
def clusters(user: User, serve: Serve) -> tuple[FakeApi, FakeApi]:
    """The two servers."""
    core, edge = serve(FakeApi(items=core_items(), logs=LOGS)), serve(FakeApi(items=edge_items()))
    user.has_contexts(core=core.url, edge=edge.url)
    return core, edge


def unpacked(path: Path) -> dict[str, str]:
    """The archive's files in order, by their path below the archive's folder."""
    with tarfile.open(path, "r:gz") as tar:
        members = tar.getmembers()
        assert all(member.isfile() and member.mode == 0o600 for member in members)
        [folder] = {member.name.split("/")[0] for member in members}
        assert folder == path.name.removesuffix(".tar.gz")
        opened = [(member.name.removeprefix(f"{folder}/"), tar.extractfile(member)) for member in members]
        return {name: file.read().decode() for name, file in opened if file is not None}


def dumped(user: User, *args: str) -> tuple[Ended, dict[str, str]]:
    ended = user.hzlink("dump", *SITES, *args)
    is_clean(ended)
    return ended, unpacked(user.cwd / ended.out.strip())


def test_bundle_contains_both_sites(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    ended, files = dumped(user)

    assert ended.code == 0, ended
    assert re.fullmatch(r"hzlink-dump-hazelcast-\d{8}T\d{6}Z\.tar\.gz\n", ended.out)
    assert next(iter(files)) == "summary.txt"
    assert "healthy. 2 sites, 1 link, 3 members" in files["summary.txt"]
    assert len(files["summary.txt"].splitlines()) < 60
    assert json.loads(files["status.json"])["healthy"] is True
    assert "v1.37.2" in files["versions.yaml"]
    for name in ("core/resources/Pod.yaml", "core/events.txt", "core/secrets.txt", "edge/resources/Link.yaml"):
        assert name in files
    pods = {pod["metadata"]["name"]: pod for pod in yaml.safe_load_all(files["core/resources/Pod.yaml"])}
    assert pods["hazelcast-0"]["spec"]["containers"][0]["env"][1]["value"] == "-Xmx1g -Dkeep=me"
    assert TELLING in files["core/logs/hazelcast-0/hazelcast.log"]
    assert "the member stopped" in files["core/logs/hazelcast-0/hazelcast.previous.log"]
    assert "log of hazelcast-1/hazelcast: kubectl could not read" in files["core/unread.txt"]
    assert {method for api in clusters for method in api.methods} == {"GET"}


def test_output_and_summary(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    def render(columns: int, colour: bool) -> str:
        (user.cwd / "x.tgz").unlink(missing_ok=True)
        text = user.rendered("dump", *SITES, "x.tgz", columns=columns, colour=colour)
        # The sites are read concurrently, in any order.
        lines = sorted(line for line in text.splitlines() if "core" in line or "edge" in line)
        return "\n".join([*lines, *(line for line in text.splitlines() if line not in lines)])

    golden_files.check_variants("dump/written", render)
    # The summary does not depend on the terminal's width. Times and versions are replaced.
    summary = re.sub(r" at \d{4}-.*Z$", " at TIME", unpacked(user.cwd / "x.tgz")["summary.txt"], flags=re.MULTILINE)
    golden_files.check("dump/summary.txt", re.sub(r"^versions: .*$", "versions: THESE", summary, flags=re.MULTILINE))


def test_bundle_contains_no_secret(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    served = json.dumps([*core_items(), *edge_items()]) + "".join(LOGS.values())
    served += base64.b64decode(core_items()[-4]["data"]["tls.key"]).decode()
    planted = [*PLANTED, PEM_LINE]
    assert [secret for secret in planted if secret not in served] == [], (
        "control: all secrets are in the served objects"
    )

    _, files = dumped(user)

    # Control: the text beside the secrets is in the bundle.
    everything = "\n".join(files.values())
    for beside in (
        "HZ_LICENSEKEY",
        "db.password",
        "the member stopped",
        "is wrong",
        "https://x:9090/1",
        "tls.key",
        "--token",
    ):
        assert beside in everything
    encoded = [base64.b64encode(secret.encode()).decode() for secret in planted]
    found = {
        (name, secret) for name, text in files.items() for secret in (*planted, *encoded, "abcd12==") if secret in text
    }
    assert found == set()
    assert "PRIVATE" not in everything


def test_given_file_is_private_and_never_overwritten(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    ended, _ = dumped(user, "mine.tar.gz")
    file = user.cwd / "mine.tar.gz"
    assert (ended.code, ended.out) == (0, "mine.tar.gz\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()

    refused(user.hzlink("dump", *SITES, "mine.tar.gz"), 2, "mine.tar.gz already exists", "give another file")

    assert file.read_bytes() == before
    assert os.listdir(user.cwd) == ["mine.tar.gz"]


def test_given_folder_gets_the_default_file_name(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    (user.cwd / "there").mkdir()
    ended, _ = dumped(user, "there")
    assert ended.out.startswith("there/hzlink-dump-hazelcast-")
    refused(user.hzlink("dump", *SITES, "nowhere/x.tar.gz"), 2, "there is no folder nowhere", "give a file")


def test_dump_document(user: User, clusters: tuple[FakeApi, FakeApi]) -> None:
    ended = user.hzlink("dump", *SITES, "x.tgz", "-o", "json")
    document = ended.document
    assert (ended.code, document["kind"], document["exitCode"], document["path"]) == (0, "Dump", 0, "x.tgz")
    assert document["bytes"] == (user.cwd / "x.tgz").stat().st_size
    assert document["files"][0] == "summary.txt"
    assert "core/resources/Pod.yaml" in document["files"]


@pytest.mark.parametrize("trouble", ["no API server", "unauthorized", "no definitions"])
def test_bundle_contains_the_other_site_when_one_is_unreadable(user: User, serve: Serve, trouble: str) -> None:
    core = serve(FakeApi(items=core_items(), logs=LOGS))
    apis = {
        "no API server": FakeApi(fake_api.garbage),
        "unauthorized": FakeApi(fake_api.unauthorized),
        "no definitions": FakeApi(items=edge_items(), skupper=False),
    }
    user.has_contexts(core=core.url, edge=serve(apis[trouble]).url)

    ended, files = dumped(user)

    assert ended.code == 3
    assert ended.err.count("error: edge: ") == 1
    assert TELLING in files["core/logs/hazelcast-0/hazelcast.log"]
    assert "edge/unread.txt" in files
    assert "unhealthy" in files["summary.txt"]
    if trouble == "no definitions":
        assert "hazelcast-mancenter" in files["edge/resources/Deployment.yaml"]


def test_forbidden_kind_is_listed_as_unread(user: User, serve: Serve) -> None:
    def without_claims(request: fake_api.Request) -> None:
        if "persistentvolumeclaims" in request.path:
            request.status(403, "Forbidden", 'persistentvolumeclaims is forbidden: User "ann" cannot list')
        else:
            request._get()

    core, edge = FakeApi(without_claims, items=core_items(), logs=LOGS), FakeApi(items=edge_items())
    user.has_contexts(core=serve(core).url, edge=serve(edge).url)

    ended, files = dumped(user)

    assert ended.code == 0
    assert "persistentvolumeclaims: you may not read objects" in files["core/unread.txt"]
    assert "core/resources/Pod.yaml" in files
    assert json.loads(files["status.json"])["healthy"] is True


def test_failed_up_writes_a_bundle_with_dump_on_failure(user: User, serve: Serve) -> None:
    items = situations.not_linked().snapshots
    core, edge = FakeApi(items=items[CORE].items, logs=LOGS), FakeApi(items=items[EDGE].items)
    user.has_contexts(core=serve(core).url, edge=serve(edge).url)

    without_flag = user.hzlink("up", *SITES, "--timeout", "6")
    assert without_flag.code not in (0, 3)
    assert "hzlink dump --client-ctx edge --cluster-ctx core" in without_flag.err
    assert os.listdir(user.cwd) == []

    ended = user.hzlink("up", *SITES, "--timeout", "6", "--dump-on-failure", "-o", "json")
    assert ended.code == without_flag.code
    [file] = user.cwd.iterdir()
    assert ended.document["dump"]["path"] == file.name
    assert f"support bundle: {file.name}" in ended.err
    assert "unhealthy" in unpacked(file)["summary.txt"]
    assert "hzlink dump" not in ended.err
