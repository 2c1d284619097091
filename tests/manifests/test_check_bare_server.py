"""`hzlink check` on an API server with Skupper's definitions and without controllers."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.manifests.bare_server import BareServer

HZLINK = str(Path(sys.executable).parent / "hzlink")


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_missing_controller_fails(server: BareServer, level: str) -> None:
    names = [f"test-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        server.make_namespace(name, {"pod-security.kubernetes.io/enforce": level})
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    env = {"PATH": path, "HOME": str(server.folder), "KUBECONFIG": str(server.kubeconfig)}
    places = ["--client-ctx", "bare", "--cluster-ctx", "bare", "--client-ns", names[0], "--cluster-ns", names[1]]
    argv = [HZLINK, "check", *places, "-o", "json"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 3, done.stderr
    checks = json.loads(done.stdout)["checks"]
    failed = [one["id"] for one in checks if one["result"] == "failed"]
    assert set(failed) == {"skupper-controller"} | ({"pod-security"} if level == "restricted" else set())
    assert len(failed) == 2 * len(set(failed)), "at both sites"
    assert ("rights", "passed") in {(one["id"], one["result"]) for one in checks}
