"""The token flow: issue on one side, redeem on the other, wake the Link, wait for it, clean up.

Two ways with one end state: the skupper CLI, or the same objects through kubectl. Either way a failure is explained
from the objects' status, as soon as it is there.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hzlink.linking import failures, token_file
from hzlink.linking.attempts import Attempts
from hzlink.linking.token_file import Token
from hzlink.model import conditions, objects
from hzlink.model.choices import Via
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import labels
from hzlink.observe import links
from hzlink.observe.waiting import Objects, Wait
from hzlink.plan import leftovers
from hzlink.programs import hints, process
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError
from hzlink.programs.skupper import Skupper
from hzlink.programs.tasks import shielded

API = "skupper.io/v2alpha1"
GRANTS, TOKENS, LINKS = RESOURCES["AccessGrant"], RESOURCES["AccessToken"], RESOURCES["Link"]

# Seconds after which a token has expired. On real Skupper one is redeemed in about 1.
REDEEM_LIMIT = 60.0
# Seconds between two annotations of a Link that the controller ignores: it reacts 0.3 s after one.
ANNOTATE_SECONDS = 2.0
# Seconds that a Link may be in error: while a Site starts, it is.
LINK_GRACE_SECONDS = 10.0
# Seconds to remove token and grant, also when ^C came or the API server is away: for each call, and for all.
CLEAN_UP_LIMIT = 10.0


@dataclass(frozen=True)
class Linking:
    """One link to make: who issues, who redeems, and the name that Link, token and Secret get."""

    topology_name: str
    issuer: Kubectl
    redeemer: Kubectl
    name: str
    via: Via
    wait: Callable[[Kubectl, str], Wait]

    @property
    def grant_name(self) -> str:
        """The AccessGrant's name where hzlink makes it: one issuer may serve several sites at once."""
        return f"{self.name}-to-{self.redeemer.site.name}"

    @property
    def window(self) -> str:
        """How long the token can be redeemed: what the skupper CLI's grant is known by."""
        return leftovers.grant_window(self.topology_name, self.issuer.site, self.redeemer.site)


def choose(via: Via) -> Via:
    """The way to link: `auto` is the skupper CLI where it is installed."""
    if via is not Via.AUTO:
        return via
    return Via.SKUPPER if process.find_program("skupper") else Via.KUBECTL


async def make(linking: Linking) -> None:
    """Issues, redeems, and waits until the Link is Ready. Leaves nothing but the Link and its Secret.

    What an earlier run left under the same names must be gone (`remove_leftovers`). A failure that may pass by itself
    (a name that does not resolve yet, an address that does not answer yet) is met with a fresh token until the run's
    time is over.

    Raises:
        HzlinkError: it failed; says at which side and why. Tokens and grants are gone then, too.
    """
    attempts = Attempts(linking.wait(linking.redeemer, f"token of {linking.issuer.site.name} redeemed"))
    through = _through_skupper if choose(linking.via) is Via.SKUPPER else _through_kubectl
    while True:
        try:
            await through(linking, attempts)
            break
        except HzlinkError as error:
            await attempts.pause(error)
        # The attempt that was given up may have been answered after all.
        if await _made(linking):
            await _touch(linking)
            break
        await remove_leftovers(linking)
    await _until_ready(linking)


async def remove_leftovers(linking: Linking) -> None:
    """Removes what an earlier run that was cut off left: its token and grant, and a Secret in the way."""
    await asyncio.gather(
        linking.redeemer.delete([Ref(TOKENS, linking.name)]),
        linking.issuer.delete([Ref(GRANTS, linking.grant_name)]),
        _remove_secret(linking),
    )


async def _remove_secret(linking: Linking) -> None:
    """Removes the Secret of a Link that somebody deleted: it has the Site as its owner, so it stays.

    With it in the way the next token's only use is counted, and then no Link is made (Skupper 2.2.1, tried).
    """
    secret = Ref(RESOURCES["Secret"], linking.name)
    owners = await linking.redeemer.owner_kinds(secret)
    if owners is None:
        return
    if "Site" not in owners:
        raise HzlinkError(
            failures.NAME_TAKEN,
            site=linking.redeemer.site.name,
            subject=str(secret),
            next_step=failures.RENAME,
        )
    await linking.redeemer.delete([secret])


async def unlink(redeemer: Kubectl, found: Sequence[Object]) -> None:
    """Removes Links: first their token, which would be redeemed again, then Links and Secret."""
    tokens = sorted({links.token_of(link) for link in found})
    await redeemer.delete([Ref(TOKENS, name) for name in tokens])
    secrets = [Ref(RESOURCES["Secret"], name) for name in tokens]
    await redeemer.delete([*(objects.ref(link) for link in found), *secrets])


async def wake(linking: Linking) -> None:
    """Marks the Links as hzlink's, which wakes them, and waits until they are Ready. `name` is their token's."""
    await _touch(linking)
    await _until_ready(linking)


async def wait_ready(linking: Linking) -> None:
    """Waits until a Link of others is Ready, and leaves it as it is."""
    wait = linking.wait(linking.redeemer, f"link to {linking.issuer.site.name}")
    await wait.watch(
        LINKS,
        lambda links: replace(conditions.skupper(links.get(linking.name)), grace=LINK_GRACE_SECONDS),
        name=linking.name,
    )


async def mark(redeemer: Kubectl, topology_name: str, link_name: str) -> None:
    """Labels a Link as hzlink's. The time beside it makes every call a change, which wakes the Link."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    marks = {"labels": labels(topology_name), "annotations": {"hzlink.io/woken": stamp}}
    await redeemer.patch(Ref(LINKS, link_name), {"metadata": marks})


async def _touch(linking: Linking) -> None:
    """Marks the Links of the token as hzlink's as soon as they are there.

    Skupper 2.2 leaves a new Link alone until its next event, up to 30 s; a change of its annotations is one.
    """
    made = await _made(linking)
    if not made:
        await linking.wait(linking.redeemer, "Link there").watch(LINKS, _there(linking.name))
        # The watch ends with the first of them.
        made = await _made(linking)
    await asyncio.gather(*(mark(linking.redeemer, linking.topology_name, objects.name(link)) for link in made))


async def _made(linking: Linking) -> list[Object]:
    """The Links that came from the token so far. A token is Redeemed only after all of them were made."""
    return links.of_token(await linking.redeemer.objects([LINKS]), linking.name)


async def _until_ready(linking: Linking) -> None:
    wait = linking.wait(linking.redeemer, f"link to {linking.issuer.site.name}")
    nudging = asyncio.create_task(_annotate_until_processed(linking))
    try:
        await wait.watch(LINKS, _links_ready(linking.name, nudging))
    except KubectlError:
        raise
    except HzlinkError as error:
        error.subject = f"Link {linking.name}"
        error.next_step = hints.kubectl(linking.redeemer.site, f"describe {LINKS} {linking.name}")
        raise
    finally:
        nudging.cancel()
        await asyncio.gather(nudging, return_exceptions=True)


async def _annotate_until_processed(linking: Linking) -> None:
    """Annotates the Link again until the controller reacts: the first annotation may have come too early."""
    while True:
        await asyncio.sleep(ANNOTATE_SECONDS)
        await _touch(linking)


def _links_ready(token: str, nudging: asyncio.Task[None]) -> Callable[[Objects], Condition]:
    def look(found: Objects) -> Condition:
        made = links.of_token(found.values(), token)
        if made and all(objects.status(link) and _is_marked(link) for link in made):
            nudging.cancel()
        first = next((link for link in made if not conditions.skupper(link).ok), made[0] if made else None)
        condition = replace(conditions.skupper(first), grace=LINK_GRACE_SECONDS)
        named = len(made) > 1 and first is not None and not condition.ok
        return replace(condition, text=f"{objects.name(first or {})}: {condition.text}") if named else condition

    return look


def _is_marked(link: Object) -> bool:
    return "hzlink.io/woken" in ((link.get("metadata") or {}).get("annotations") or {})


def _there(token: str) -> Callable[[Objects], Condition]:
    def look(found: Objects) -> Condition:
        if links.of_token(found.values(), token):
            return Condition(State.OK)
        return Condition(State.WAITING, "the token was redeemed, no Link yet")

    return look


async def _through_skupper(linking: Linking, attempts: Attempts) -> None:
    with token_file.private_folder() as folder:
        grant = ""
        try:
            try:
                seconds = _seconds(linking)
                await Skupper(linking.issuer.site).issue(folder, token_file.FILE, linking.window, seconds)
            except HzlinkError as error:
                # It leaves the grant behind, and names it.
                found = re.search(r'grant "([^"]+)" not ready', error.said or "")
                grant = found[1] if found else ""
                if grant:
                    error = await _unready_grant(linking, grant, error)
                raise failures.not_issued(linking.issuer.site, error) from None
            token = token_file.read(folder)
            grant = token.grant
            token_file.write(folder, _access_token(linking, token))
            seconds = min(REDEEM_LIMIT, _seconds(linking))
            redeeming = Skupper(linking.redeemer.site).redeem(folder, token_file.FILE, seconds)
            await _redeemed(linking, attempts, asyncio.create_task(redeeming))
            await _touch(linking)
        finally:
            await shielded(_clean_up_after_skupper(linking, grant), CLEAN_UP_LIMIT)


async def _clean_up_after_skupper(linking: Linking, grant: str) -> None:
    await _clean_up(linking, [Ref(GRANTS, grant)] if grant else await _windowed_grants(linking))


async def _windowed_grants(linking: Linking) -> list[Ref]:
    """The grant of a `skupper token issue` that failed or was ended: it leaves it behind."""
    with suppress(HzlinkError):
        grants = await linking.issuer.objects([GRANTS])
        return [objects.ref(item) for item in grants if leftovers.has_window(item, {linking.window})]
    return []


async def _unready_grant(linking: Linking, name: str, error: HzlinkError) -> HzlinkError:
    """The error for a grant that did not get ready in time, with the reason, which the CLI does not tell."""
    try:
        grant = await linking.issuer.get(Ref(GRANTS, name))
    except HzlinkError:
        return error
    said = _grant_condition(grant).text
    return WaitTimeout("", site=error.site, said=said, waited=error.waited)


def _seconds(linking: Linking) -> float:
    """What is left of the run's time."""
    return linking.wait(linking.issuer, "").until - time.monotonic()


async def _through_kubectl(linking: Linking, attempts: Attempts) -> None:
    try:
        token = await _grant(linking)
        await linking.redeemer.create(_access_token(linking, token))
        await _redeemed(linking, attempts, None)
        await _touch(linking)
    finally:
        await shielded(_clean_up(linking, [Ref(GRANTS, linking.grant_name)]), CLEAN_UP_LIMIT)


async def _grant(linking: Linking) -> Token:
    """Makes an AccessGrant and waits until it can be redeemed."""
    name = linking.grant_name
    await linking.issuer.create(
        {
            "apiVersion": API,
            "kind": "AccessGrant",
            "metadata": {"name": name, "labels": labels(linking.topology_name)},
            "spec": {"redemptionsAllowed": 1, "expirationWindow": linking.window},
        }
    )
    wait = linking.wait(linking.issuer, "grant for the token")

    def look(grants: Objects) -> Condition:
        return _grant_condition(grants.get(name))

    try:
        grants = await wait.watch(GRANTS, look, name=name)
    except HzlinkError as error:
        raise failures.not_issued(linking.issuer.site, error) from None
    status = objects.status(grants[name])
    return Token(name, str(status["url"]), str(status["code"]), str(status["ca"]))


def _grant_condition(grant: Object | None) -> Condition:
    """Whether the grant can be redeemed, and why not."""
    status = objects.status(grant or {})
    process.conceal(str(status.get("code") or ""))
    if status.get("url") and status.get("code") and status.get("ca"):
        return Condition(State.OK)
    condition = conditions.skupper(grant)
    if condition.state is State.BROKEN:
        return replace(condition, grace=0.0)
    lacks_address = bool(status) and not status.get("url")
    return Condition(State.WAITING, failures.NO_GRANT_ADDRESS if lacks_address else condition.text or "not ready")


def _access_token(linking: Linking, token: Token) -> Object:
    return {
        "apiVersion": API,
        "kind": "AccessToken",
        "metadata": {"name": linking.name, "labels": labels(linking.topology_name)},
        "spec": {"url": token.url, "code": token.code, "ca": token.ca},
    }


async def _redeemed(linking: Linking, attempts: Attempts, redeeming: asyncio.Task[None] | None) -> None:
    """Waits until the AccessToken is redeemed. Raises as soon as its status says why not, before the CLI gives up."""
    wait = linking.wait(linking.redeemer, f"token of {linking.issuer.site.name} redeemed")
    wait.began, wait.until = attempts.began, min(wait.until, time.monotonic() + REDEEM_LIMIT)
    look = _redemption(linking.name, attempts.reason or "redeeming")
    watching = asyncio.create_task(wait.watch(TOKENS, look, name=linking.name))
    waiters: set[asyncio.Future[Any]] = {watching, *([redeeming] if redeeming else [])}
    try:
        while watching in waiters:
            done, waiters = await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not watching:
                    task.result()
        # The CLI would say the same, up to a second later: it looks once a second. It is ended below.
        watching.result()
    except HzlinkError as error:
        if isinstance(error, WaitTimeout):
            error.said = "no answer yet: Skupper still tries to connect, or its controller does not run"
        raise failures.not_redeemed(linking.issuer.site, linking.redeemer.site, linking.name, error) from None
    finally:
        for task in [watching, *([redeeming] if redeeming else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError, HzlinkError):
                await task


def _redemption(name: str, meanwhile: str) -> Callable[[Objects], Condition]:
    def look(tokens: Objects) -> Condition:
        token = tokens.get(name)
        if objects.status(token or {}).get("redeemed"):
            return Condition(State.OK)
        condition = conditions.skupper(token)
        # A failed one is tried again every 30 s, and may hold up the controller: it goes at once.
        if condition.state is State.BROKEN:
            return replace(condition, grace=0.0)
        return Condition(State.WAITING, meanwhile)

    return look


async def _clean_up(linking: Linking, grants: Sequence[Ref]) -> None:
    """What cannot be removed now (the API server went away) is left to the next run."""
    await asyncio.gather(
        Kubectl(linking.redeemer.site, CLEAN_UP_LIMIT).delete([Ref(TOKENS, linking.name)]),
        Kubectl(linking.issuer.site, CLEAN_UP_LIMIT).delete(grants),
        return_exceptions=True,
    )
