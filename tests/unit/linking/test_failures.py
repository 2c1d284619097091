"""Messages of Skupper and its CLI about tokens: their meaning, exit code and next command."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.linking import failures
from hzlink.model.errors import HzlinkError, WaitTimeout
from tests.unit.builders import CORE, EDGE

UNREACHABLE = 'Get "https://10.0.0.1:6443/apis": dial tcp 10.0.0.1:6443: connect: connection refused'
# As in skupper-transcript.txt.
FAILED = "Controller got failed response: "
ISSUED = [
    (
        WaitTimeout("x", said=failures.NO_GRANT_ADDRESS),
        4,
        "no token could be issued at core",
        "skupper-grant-server",
    ),
    (HzlinkError("x", said="Invalid duration"), 1, "no token could be issued at core", "get accessgrants"),
    (HzlinkError("x", said=UNREACHABLE), 3, "API server of context core-ctx cannot be reached", "cluster-info"),
    (HzlinkError("x", said="error: You must be logged in to the server"), 3, "credentials", "auth whoami"),
    (HzlinkError("x", said='accessgrants is forbidden: User "a"'), 3, "you may not issue a token", "can-i"),
    (HzlinkError("x", said='unknown command "issue" for "skupper token"'), 3, "not of release 2", "--via kubectl"),
    (HzlinkError("x", said="unknown flag: --platform"), 3, "not of release 2", "--via kubectl"),
]
REDEEMED = [
    (f"{FAILED}404 (Not Found) No such access granted", "used already"),
    (f"{FAILED}404 (Not Found) No such claim", "expired"),
    (f"{FAILED}403 (Forbidden) Redemption of access token refused", "code is wrong"),
    (f"{FAILED}500 (Internal Server Error) Could not resolve any endpoints for requested link", "no address for links"),
    ('Controller got error: Post "https://1.2.3.4:9090/x": dial tcp 1.2.3.4:9090: connect: no route to host',
     "the redeeming site cannot reach"),
    ("something else", "token of core was not redeemed"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "message", "next_step"), ISSUED, ids=[entry[0].said for entry in ISSUED])
def test_failure_to_issue_has_a_message_and_a_next_command(
    error: HzlinkError, code: int, message: str, next_step: str
) -> None:
    told = failures.not_issued(CORE, error)
    assert int(told.status) == code
    assert message in told.message
    assert next_step in (told.next_step or "")
    assert told.said == error.said


@pytest.mark.parametrize(("said", "message"), REDEEMED)
def test_failure_to_redeem_has_a_message_and_a_next_command(said: str, message: str) -> None:
    told = failures.not_redeemed(CORE, EDGE, "hazelcast-core", HzlinkError("x", said=said))
    assert message in told.message
    assert (told.site, told.subject, told.said) == ("edge", "AccessToken hazelcast-core", said)
    assert (told.next_step or "").startswith("hzlink link")


@given(st.uuids())
@example(uuid.UUID("2b335b68-f567-4239-8e9c-649496403f78"))
def test_grant_name_does_not_change_the_classification(grant: uuid.UUID) -> None:
    said = f'Controller got error: Post "https://10.0.0.9:9090/{grant}": dial tcp 10.0.0.9:9090: connect: refused'
    told = failures.not_redeemed(CORE, EDGE, "hazelcast-core", HzlinkError("x", said=said))
    assert told.message == "the redeeming site cannot reach the issuing site"


def test_existing_secret_needs_another_topology_name() -> None:
    said = 'Controller could not create received secret: secrets "hazelcast-core" already exists'
    told = failures.not_redeemed(CORE, EDGE, "hazelcast-core", HzlinkError("x", said=said))
    assert (told.message, told.next_step) == (failures.NAME_TAKEN, failures.RENAME)


def test_unreachable_api_server_while_redeeming_is_exit_3() -> None:
    told = failures.not_redeemed(CORE, EDGE, "hazelcast-core", HzlinkError("x", said=UNREACHABLE))
    assert (int(told.status), told.site) == (3, "edge")
