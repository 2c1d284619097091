"""The command for pods that do not run."""

from __future__ import annotations

import pytest

from hzlink.programs import pod_hints
from tests.unit.builders import EDGE, pod

OPTION = "hzlink up --pull-secret NAME"


@pytest.mark.parametrize(
    ("answer", "denied"),
    [
        ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized", True),
        ("pull access denied, repository does not exist or may require authorization", True),
        ("no basic auth credentials", True),
        ("unexpected status from HEAD request to https://r/v2/x/manifests/1: 403 Forbidden", True),
        ("manifest for x:9 not found: manifest unknown", False),
        ("dial tcp: lookup r: no such host", False),
    ],
)
def test_refused_pull_names_the_option(answer: str, denied: bool) -> None:
    stuck = pod("hazelcast-0", ready=False, waiting="ImagePullBackOff", message=f'Back-off pulling image "x": {answer}')
    command = pod_hints.next_step(EDGE, [stuck], "app=hazelcast", "statefulset hazelcast", "")
    assert command.startswith("kubectl --context edge-ctx -n hz describe pods -l app=hazelcast")
    assert (OPTION in command) == denied


def test_other_refusals_do_not_name_the_option() -> None:
    crashed = pod("hazelcast-0", ready=False, waiting="CrashLoopBackOff", message="401 Unauthorized")
    assert OPTION not in pod_hints.next_step(EDGE, [crashed], "app=hazelcast", "statefulset hazelcast", "unauthorized")
