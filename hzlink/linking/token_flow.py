"""The token flow: issues on one side, redeems on the other, labels the Link, waits until it is Ready, and cleans up.

It uses the skupper CLI, or kubectl with the same objects; the result is the same. In both cases a failure is explained
from the objects' status, as soon as the status has it.
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

from hzlink.linking import certificates, failures, token_file
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
from hzlink.programs.tasks import running, shielded

API = "skupper.io/v2alpha1"
_PROCESS = "hzlink.io/woken"
GRANTS, TOKENS, LINKS = RESOURCES["AccessGrant"], RESOURCES["AccessToken"], RESOURCES["Link"]

# A token expires after this time. A redemption takes about 1 s (measured).
REDEEM_LIMIT_SECONDS = 60.0
NO_ANSWER = "no answer yet"
# Time between two annotations of a Link that the controller ignores. It usually reacts after 0.3 s (measured).
ANNOTATE_SECONDS = 2.0
# How long a Link may have an error, which it has while a Site starts.
LINK_GRACE_SECONDS = 10.0
# Limit for the removal of token and grant, also after ^C or without an API server: for each call, and for all calls.
CLEAN_UP_LIMIT_SECONDS = 10.0


@dataclass(frozen=True)
class Linking:
    """One link to make: the issuer, the redeemer, and the name of Link, token and Secret."""

    topology_name: str
    issuer: Kubectl
    redeemer: Kubectl
    name: str
    via: Via
    wait: Callable[[Kubectl, str], Wait]

    @property
    def grant_name(self) -> str:
        """The name of an AccessGrant that hzlink makes. It is unique, because an issuer may serve several sites."""
        return f"{self.name}-to-{self.redeemer.site.name}"

    @property
    def window(self) -> str:
        """How long the token can be redeemed, as a Go duration. It identifies the skupper CLI's grant."""
        return leftovers.grant_window(self.topology_name, self.issuer.site, self.redeemer.site)


def choose(via: Via) -> Via:
    """The program that links: for `auto`, the skupper CLI if it is installed, otherwise kubectl."""
    if via is not Via.AUTO:
        return via
    return Via.SKUPPER if process.find_program("skupper") else Via.KUBECTL


async def make(linking: Linking) -> None:
    """Issues and redeems a token, and waits until the Link is Ready. Afterwards only the Link and its Secret remain.

    Raises:
        HzlinkError: it failed; names the side and the reason. Tokens and grants are removed, too.
    """
    await redeem(linking)
    await until_ready(linking)


async def redeem(linking: Linking) -> None:
    """Issues and redeems a token, and labels the Links that Skupper makes from it.

    Objects of an earlier run with the same names must be removed before (`remove_leftovers`). After a failure that may
    be temporary (a name that does not resolve yet, an address that does not answer yet), this tries again with a new
    token until the run's time limit.

    Raises:
        HzlinkError: it failed; names the side and the reason. Tokens and grants are removed, too.
    """
    attempts = Attempts(linking.wait(linking.redeemer, f"token of {linking.issuer.site.name} redeemed"))
    through = _through_skupper if choose(linking.via) is Via.SKUPPER else _through_kubectl
    while True:
        try:
            await through(linking, attempts)
            break
        except HzlinkError as error:
            await attempts.pause(error)
        # The failed attempt may have made the Link nevertheless.
        if await _made(linking):
            await _mark_links(linking)
            break
        await remove_leftovers(linking)


async def remove_leftovers(linking: Linking) -> None:
    """Removes the token and grant of an interrupted run, and a Secret that has the new Secret's name."""
    await asyncio.gather(
        linking.redeemer.delete([Ref(TOKENS, linking.name)]),
        linking.issuer.delete([Ref(GRANTS, linking.grant_name)]),
        _remove_secret(linking),
    )


async def _remove_secret(linking: Linking) -> None:
    """Removes the Secret of a Link that was deleted. It remains after the Link, because the Site owns it.

    If it exists, Skupper counts the next token's only redemption and then makes no Link (Skupper 2.2.1, tried).
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
    """Removes Links: first their token, which Skupper would redeem again, then the Links and their Secret."""
    tokens = sorted({links.token_of(link) for link in found})
    await redeemer.delete([Ref(TOKENS, name) for name in tokens])
    secrets = [Ref(RESOURCES["Secret"], name) for name in tokens]
    await redeemer.delete([*(objects.ref(link) for link in found), *secrets])


async def mark_and_wait(linking: Linking) -> None:
    """Labels the Links as hzlink's, which makes Skupper process them, and waits until they are Ready.

    `linking.name` is the name of their token.
    """
    await _mark_links(linking)
    await until_ready(linking)


async def wait_ready(linking: Linking) -> None:
    """Waits until a Link that hzlink did not make is Ready, without changing it."""
    wait = linking.wait(linking.redeemer, f"link to {linking.issuer.site.name}")
    await wait.watch(
        LINKS,
        lambda links: replace(conditions.skupper(links.get(linking.name)), grace=LINK_GRACE_SECONDS),
        name=linking.name,
    )


async def mark(redeemer: Kubectl, topology_name: str, link_name: str) -> None:
    """Labels a Link as hzlink's. The annotation with the time changes it each time, so that Skupper processes it."""
    marks = {"labels": labels(topology_name), "annotations": stamp()}
    await redeemer.patch(Ref(LINKS, link_name), {"metadata": marks})


def stamp() -> dict[str, str]:
    """The annotation with the present time. As it always differs, setting it makes Skupper process the object."""
    return {_PROCESS: datetime.now(UTC).isoformat(timespec="milliseconds")}


async def _mark_links(linking: Linking) -> None:
    """Labels the Links of the token as hzlink's as soon as they exist.

    Skupper 2.2 may ignore a new Link for up to 30 s, until its next event. A change of its annotations is an event.
    """
    made = await _made(linking)
    if not made:
        await linking.wait(linking.redeemer, "Link created").watch(LINKS, _link_exists(linking.name))
        # The watch ends when the first of several Links exists.
        made = await _made(linking)
    await asyncio.gather(*(mark(linking.redeemer, linking.topology_name, objects.name(link)) for link in made))


async def _made(linking: Linking) -> list[Object]:
    """The Links made from the token so far. A token is Redeemed only after all of them were made."""
    return links.of_token(await linking.redeemer.objects([LINKS]), linking.name)


async def until_ready(linking: Linking) -> None:
    """Waits until the Links of the token are Ready."""
    wait = linking.wait(linking.redeemer, f"link to {linking.issuer.site.name}")
    try:
        async with running(_annotate_until_processed(linking)) as (annotating,):
            await certificates.unless_refused(linking, wait.watch(LINKS, _links_ready(linking.name, annotating)))
    except (KubectlError, certificates.CertificateRefused):
        raise
    except HzlinkError as error:
        error.subject = f"Link {linking.name}"
        error.next_step = hints.kubectl(linking.redeemer.site, f"describe {LINKS} {linking.name}")
        raise


async def _annotate_until_processed(linking: Linking) -> None:
    """Annotates the Link again until the controller reacts: the first annotation may have been too early."""
    while True:
        await asyncio.sleep(ANNOTATE_SECONDS)
        await _mark_links(linking)


def _links_ready(token: str, annotating: asyncio.Task[None]) -> Callable[[Objects], Condition]:
    def judge(found: Objects) -> Condition:
        made = links.of_token(found.values(), token)
        if made and all(objects.status(link) and _is_marked(link) for link in made):
            annotating.cancel()
        first = next((link for link in made if not conditions.skupper(link).ok), made[0] if made else None)
        condition = replace(conditions.skupper(first), grace=LINK_GRACE_SECONDS)
        named = len(made) > 1 and first is not None and not condition.ok
        return replace(condition, text=f"{objects.name(first or {})}: {condition.text}") if named else condition

    return judge


def _is_marked(link: Object) -> bool:
    return _PROCESS in ((link.get("metadata") or {}).get("annotations") or {})


def _link_exists(token: str) -> Callable[[Objects], Condition]:
    def judge(found: Objects) -> Condition:
        if links.of_token(found.values(), token):
            return Condition(State.OK)
        return Condition(State.WAITING, "the token was redeemed, no Link yet")

    return judge


async def _through_skupper(linking: Linking, attempts: Attempts) -> None:
    with token_file.private_folder() as folder:
        grant = ""
        try:
            try:
                seconds = _seconds(linking)
                await Skupper(linking.issuer.site).issue(folder, token_file.FILE, linking.window, seconds)
            except HzlinkError as error:
                # The CLI does not remove the grant, but names it.
                found = re.search(r'grant "([^"]+)" not ready', error.said or "")
                grant = found[1] if found else ""
                if grant:
                    error = await _unready_grant(linking, grant, error)
                raise failures.not_issued(linking.issuer.site, error) from None
            token = token_file.read(folder)
            grant = token.grant
            token_file.write(folder, _access_token(linking, token))
            seconds = min(REDEEM_LIMIT_SECONDS, _seconds(linking))
            redeeming = Skupper(linking.redeemer.site).redeem(folder, token_file.FILE, seconds)
            await _redeemed(linking, attempts, asyncio.create_task(redeeming))
            await _mark_links(linking)
        finally:
            await shielded(_clean_up_after_skupper(linking, grant), CLEAN_UP_LIMIT_SECONDS)


async def _clean_up_after_skupper(linking: Linking, grant: str) -> None:
    await _clean_up(linking, [Ref(GRANTS, grant)] if grant else await _windowed_grants(linking))


async def _windowed_grants(linking: Linking) -> list[Ref]:
    """The grant of a `skupper token issue` that failed or was killed: the CLI does not remove it."""
    with suppress(HzlinkError):
        grants = await linking.issuer.objects([GRANTS])
        return [objects.ref(item) for item in grants if leftovers.has_window(item, {linking.window})]
    return []


async def _unready_grant(linking: Linking, name: str, error: HzlinkError) -> HzlinkError:
    """The error for a grant that did not become ready in time, with the reason, which the CLI does not print."""
    try:
        grant = await linking.issuer.get(Ref(GRANTS, name))
    except HzlinkError:
        return error
    said = _grant_condition(grant).text
    return WaitTimeout("", site=error.site, said=said, waited=error.waited)


def _seconds(linking: Linking) -> float:
    """The time left in the run, in seconds."""
    return linking.wait(linking.issuer, "").until - time.monotonic()


async def _through_kubectl(linking: Linking, attempts: Attempts) -> None:
    try:
        token = await _grant(linking)
        await linking.redeemer.create(_access_token(linking, token))
        await _redeemed(linking, attempts, None)
        await _mark_links(linking)
    finally:
        await shielded(_clean_up(linking, [Ref(GRANTS, linking.grant_name)]), CLEAN_UP_LIMIT_SECONDS)


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

    def judge(grants: Objects) -> Condition:
        return _grant_condition(grants.get(name))

    try:
        grants = await wait.watch(GRANTS, judge, name=name)
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
    """Waits until the AccessToken is redeemed. Raises as soon as its status has an error, before the CLI ends."""
    wait = linking.wait(linking.redeemer, f"token of {linking.issuer.site.name} redeemed")
    wait.began, wait.until = attempts.began, min(wait.until, time.monotonic() + REDEEM_LIMIT_SECONDS)
    judge = _redemption(linking.name, attempts.reason or "redeeming")
    watching = asyncio.create_task(wait.watch(TOKENS, judge, name=linking.name))
    waiters: set[asyncio.Future[Any]] = {watching, *([redeeming] if redeeming else [])}
    try:
        while watching in waiters:
            done, waiters = await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not watching:
                    task.result()
        # The CLI would report the same up to a second later, because it polls once a second. It is ended below.
        watching.result()
    except HzlinkError as error:
        if isinstance(error, WaitTimeout):
            error.said = f"{NO_ANSWER}: Skupper is still trying to connect, or its controller does not run"
        raise failures.not_redeemed(linking.issuer.site, linking.redeemer.site, linking.name, error) from None
    finally:
        for task in [watching, *([redeeming] if redeeming else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError, HzlinkError):
                await task


def _redemption(name: str, meanwhile: str) -> Callable[[Objects], Condition]:
    def judge(tokens: Objects) -> Condition:
        token = tokens.get(name)
        if objects.status(token or {}).get("redeemed"):
            return Condition(State.OK)
        condition = conditions.skupper(token)
        # Skupper retries a failed token every 30 s, which may delay the controller: the token is removed at once.
        if condition.state is State.BROKEN:
            return replace(condition, grace=0.0)
        return Condition(State.WAITING, meanwhile)

    return judge


async def _clean_up(linking: Linking, grants: Sequence[Ref]) -> None:
    """Removes token and grants. The next run removes what cannot be removed now (API server unreachable)."""
    await asyncio.gather(
        Kubectl(linking.redeemer.site, CLEAN_UP_LIMIT_SECONDS).delete([Ref(TOKENS, linking.name)]),
        Kubectl(linking.issuer.site, CLEAN_UP_LIMIT_SECONDS).delete(grants),
        return_exceptions=True,
    )
