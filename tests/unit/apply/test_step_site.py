"""When a Skupper Site is taken to be ready, and when others can link to it."""

from __future__ import annotations

from hzlink.apply.steps.site import is_reachable, is_ready
from hzlink.model.conditions import State
from tests.unit.builders import skupper_site


def test_one_that_was_ready_before_it_got_link_access_is_not_yet_reachable() -> None:
    site = skupper_site("edge", access="default", holds={"Running": True, "Resolved": True, "Ready": True})
    assert is_ready("edge")({"edge": site}).ok
    condition = is_reachable("edge")({"edge": site})
    assert (condition.state, condition.text) == (
        State.WAITING,
        "no address yet: the Site has not taken up its link access",
    )


def test_with_an_address_it_is() -> None:
    assert is_reachable("edge")({"edge": skupper_site("edge", host="203.0.113.7")}).ok
