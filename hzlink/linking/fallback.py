"""The way to link: by a token, or without one where no grant server can be reached.

A token is redeemed at the grant server of the issuing cluster, which has its own address. `--via auto` makes the Link
itself if that server has no address or does not answer, while the issuing Site has an address: the Link then shows
whether the router can be reached.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hzlink.linking import failures, remedy, token_flow
from hzlink.linking.remedy import Remedy
from hzlink.linking.token_flow import Linking
from hzlink.model.choices import Via
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event, Mark
from hzlink.observe.waiting import Wait
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal

# How long `--via auto` waits for the grant server, which may be as new as the Site; at most half of the time left.
PATIENCE_SECONDS = 30.0

_CLIENT_ERROR = "Controller got error"


async def make(linking: Linking, without_token: Callable[[], Awaitable[None]]) -> bool:
    """Links with a token; with `--via auto` and without a grant server, calls `without_token` instead.

    Returns:
        Whether the Link was made without a token.

    Raises:
        HzlinkError: it failed. Only the absence of a grant server leads to the other way, no other error.
    """
    if linking.via is not Via.AUTO:
        await token_flow.make(linking)
        return False
    left = linking.wait(linking.issuer, "").until - time.monotonic()
    until = time.monotonic() + min(PATIENCE_SECONDS, left / 2)
    try:
        await token_flow.redeem(replace(linking, wait=_bounded(linking.wait, until)))
    except HzlinkError as error:
        if has_no_grant_server(error):
            await _instead(linking, error, without_token)
            return True
        # Only the shorter time limit is no reason to give up.
        if not isinstance(error, WaitTimeout):
            raise
        await token_flow.remove_leftovers(linking)
        await token_flow.redeem(linking)
    await token_flow.until_ready(linking)
    return False


async def _instead(linking: Linking, error: HzlinkError, without_token: Callable[[], Awaitable[None]]) -> None:
    reason = f"{error.message} ({error.said})" if error.said else error.message
    text = f"{reason}: making the link without a token"
    linking.wait(linking.redeemer, "").emit(Event(Mark.NOTE, text, linking.redeemer.site.name))
    try:
        await token_flow.remove_leftovers(linking)
        await without_token()
    except KubectlError as refused:
        if refused.refusal is not Refusal.FORBIDDEN:
            raise
        error.next_step = f"{hints.hzlink('link --via link')}   (needs the rights of manifests/rbac/static-link)"
        raise error from None


def has_no_grant_server(error: HzlinkError) -> bool:
    """Whether a token failed only because the grant server has no address, or because its address does not answer."""
    said = error.said or ""
    if failures.NO_GRANT_ADDRESS in said or token_flow.NO_ANSWER in said:
        return True
    return _CLIENT_ERROR in said and remedy.of(error) is Remedy.WAIT


def _bounded(wait: Callable[[Kubectl, str], Wait], until: float) -> Callable[[Kubectl, str], Wait]:
    """Waits that end at `until` at the latest."""

    def bounded(kubectl: Kubectl, text: str) -> Wait:
        made = wait(kubectl, text)
        made.until = min(made.until, until)
        return made

    return bounded
