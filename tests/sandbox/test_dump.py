"""`hzlink dump` on real API servers: planted secrets are not in the bundle, other content is."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.sandbox.conftest import Hzlink

CODE = "Sw0rdf1shSw0rdf1shSw0rd"
PLANTED = [f"hunter2-{place}" for place in ("secret", "config", "annotation", "env", "event")]
IN_SECRET, IN_CONFIG, IN_ANNOTATION, IN_ENV, IN_EVENT = PLANTED


def _plant(hzlink: Hzlink) -> None:
    annotations = {"annotations": {"example.org/token": IN_ANNOTATION}}
    pod = {
        "containers": [{"name": "c", "image": "example.org/x:1", "env": [{"name": "API_TOKEN", "value": IN_ENV}]}],
    }
    event = {
        "involvedObject": {"kind": "Pod", "name": "mine", "namespace": hzlink.namespace},
        "reason": "Planted",
        "message": f"login with password={IN_EVENT} failed",
        "type": "Warning",
        "lastTimestamp": "2026-03-01T10:00:00Z",
    }
    items = [
        {"kind": "Secret", "metadata": {"name": "mine"}, "stringData": {"the-key": IN_SECRET}},
        {"kind": "ConfigMap", "metadata": {"name": "mine", **annotations}, "data": {"password": IN_CONFIG}},
        {"kind": "Pod", "metadata": {"name": "mine"}, "spec": pod},
        {"kind": "Event", "metadata": {"name": "mine.1"}, **event},
    ]
    bundle = {"kind": "List", "items": [{"apiVersion": "v1", **item} for item in items]}
    # `apply` also writes the objects into an annotation.
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", **bundle}))
    grant = {
        "apiVersion": "skupper.io/v2alpha1",
        "kind": "AccessGrant",
        "metadata": {"name": "mine"},
        "spec": {"redemptionsAllowed": 1, "expirationWindow": "5m", "code": CODE},
    }
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps(grant))
    hzlink.kubectl("cluster", "wait", "--for=condition=Ready", "accessgrants/mine", "--timeout=30s")


def _unpacked(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        files = [(member.name.partition("/")[2], tar.extractfile(member)) for member in tar.getmembers()]
        return {name: file.read().decode() for name, file in files if file is not None}


def test_bundle_contains_no_planted_secret(hzlink: Hzlink, tmp_path: Path) -> None:
    hzlink.up().ok()
    _plant(hzlink)
    kinds = "secrets,configmaps,pods,events,accessgrants.skupper.io"
    served = hzlink.kubectl("cluster", "get", kinds, "-o", "json")
    [grant] = hzlink.objects("cluster", "accessgrants.skupper.io").values()
    ca = grant["status"]["ca"]
    # Control: the API server serves all of them (a Secret's value in base64 and in kubectl's annotation).
    assert [secret for secret in (*PLANTED, CODE) if secret not in served] == []
    before = hzlink.writes()

    file = tmp_path / "x.tar.gz"
    ran = hzlink("dump", str(file)).ok()

    assert ran.out == f"{file}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    files = _unpacked(file)
    assert next(iter(files)) == "summary.txt"
    assert "healthy" in files["summary.txt"]
    assert {(name, secret) for name, text in files.items() for secret in (*PLANTED, CODE) if secret in text} == set()
    assert [name for name, text in files.items() if ca.splitlines()[1] in text or "BEGIN CERT" in text] == []
    # The text beside the secrets is in the bundle.
    assert "mine, Opaque: the-key" in files["cluster/secrets.txt"]
    assert "password=[redacted] failed" in files["cluster/events.txt"]
    grants = yaml.safe_load(files["cluster/resources/AccessGrant.yaml"])
    assert (grants["status"]["code"], grants["status"]["url"]) == ("[redacted]", grant["status"]["url"])
    assert "hazelcast-cluster" in files["client/resources/Link.yaml"]
    assert "hazelcast-cluster, kubernetes.io/tls" in files["client/secrets.txt"]
    assert hzlink.writes() == before


@pytest.mark.parametrize("frozen", ["client", "cluster"])
def test_bundle_contains_the_other_site_when_one_is_silent(hzlink: Hzlink, tmp_path: Path, frozen: str) -> None:
    hzlink.up().ok()
    file = tmp_path / "x.tar.gz"
    with hzlink.sandbox.frozen(frozen):
        ran = hzlink("dump", str(file), "--timeout", "8", "-o", "json")

    assert (ran.code, ran.document["path"]) == (3, str(file))
    files = _unpacked(file)
    other = "cluster" if frozen == "client" else "client"
    assert f"{other}/resources/Pod.yaml" in files
    assert "cannot be reached" in files["summary.txt"]
    assert ran.seconds < 60


def test_bundle_contains_real_logs(real_hzlink: Hzlink, tmp_path: Path) -> None:
    real_hzlink.up().ok()

    real_hzlink("dump", str(tmp_path / "x.tar.gz")).ok()

    files = _unpacked(tmp_path / "x.tar.gz")
    assert "is STARTED" in files["cluster/logs/hazelcast-0/hazelcast.log"]
    assert [name for name in files if name.startswith("client/logs/hazelcast-mancenter")]
