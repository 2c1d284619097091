"""Fixtures for the manifests: a bare API server with Skupper's real definitions."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manifests import bare_server
from tests.manifests.bare_server import BareServer
from tests.manifests.kustomizing import ROOT

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def skupper_definitions() -> Path:
    """Skupper's real custom resource definitions, which are not part of the checkout."""
    folder = Path(os.environ.get("HZLINK_SHARED") or ROOT.parent / "shared") / "skupper-crds"
    if not list(folder.glob("*_crd.yaml")):
        pytest.skip(f"no Skupper definitions in {folder} (HZLINK_SHARED names their parent folder)")
    return folder


@pytest.fixture(scope="session")
def server(skupper_definitions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareServer]:
    etcd, apiserver = bare_server.find_program("etcd"), bare_server.find_program("kube-apiserver")
    if not etcd or not apiserver:
        pytest.skip("no etcd and kube-apiserver: `scripts/sandbox.sh up` builds them")
    started = bare_server.start(tmp_path_factory.mktemp("bare-server"), etcd, apiserver)
    try:
        definitions = sorted(str(path) for path in skupper_definitions.glob("*_crd.yaml"))
        started.must("create", *(arg for path in definitions for arg in ("-f", path)))
        started.must("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield started
    finally:
        started.stop()


@pytest.fixture
def namespace(server: BareServer) -> str:
    """A new namespace that enforces PodSecurity `restricted`."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    server.make_namespace(name, RESTRICTED)
    return name
