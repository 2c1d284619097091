"""Explains why a token was not issued or not redeemed, from Skupper's messages, with the next command. Pure."""

from __future__ import annotations

from hzlink.linking import remedy
from hzlink.linking.remedy import Remedy
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.topology import Site
from hzlink.programs import hints
from hzlink.programs.refusals import KubectlError, Refusal, classify, explain

NAME_TAKEN = "another object already has the name of the link's Secret"
RENAME = "rename it, or give the topology another name: --name"
NO_GRANT_ADDRESS = "no address for redeeming yet"

# The issuing side's answer in the AccessToken's status, and its meaning.
_REFUSALS = (
    ("No such access granted", "the token was refused: it had been used already, or its grant was deleted"),
    ("No such claim", "the token was refused: it had expired, or the issuer does not know it"),
    # Not only "403": the URL of an unreachable grant contains a UUID, which may contain the number.
    ("403 (Forbidden)", "the token was refused: its code is wrong"),
    ("Could not resolve any endpoints", "the token was refused: the issuing site has no address for links"),
    ("could not create received secret", NAME_TAKEN),
    ("Controller got error", "the redeeming site cannot reach the issuing site"),
)
# The errors of a CLI of another release about unknown commands and flags.
_UNKNOWN_COMMAND = ("unknown command", "unknown flag", "unknown shorthand flag")


def not_issued(site: Site, error: HzlinkError) -> HzlinkError:
    """The error for a token that was not issued at a site."""
    said = error.said or ""
    if any(words in said for words in _UNKNOWN_COMMAND):
        return _wrong_release(error)
    if (refused := _by_api_server(site, "issue a token", error)) is not None:
        return refused
    error.message = f"no token could be issued at {site.name}"
    error.subject = error.subject or "AccessGrant"
    if NO_GRANT_ADDRESS in said:
        error.next_step = _grant_server(site)
    else:
        error.next_step = hints.kubectl(site, "get accessgrants.skupper.io -o wide")
    return error


def _grant_server(issuer: Site) -> str:
    """The command that shows the address where tokens are redeemed.

    Its Service is in the controller's namespace, which hzlink does not know.
    """
    service = "get services --all-namespaces --field-selector metadata.name=skupper-grant-server"
    return hints.cluster_wide(issuer, service)


def not_redeemed(issuer: Site, redeemer: Site, name: str, error: HzlinkError) -> HzlinkError:
    """The error for an issuer's token that was not redeemed. `name`: of the AccessToken at the redeemer."""
    said = error.said or ""
    if any(words in said for words in _UNKNOWN_COMMAND):
        return _wrong_release(error)
    if (refused := _by_api_server(redeemer, "redeem a token", error)) is not None:
        return refused
    meaning = next((text for phrase, text in _REFUSALS if phrase in said), None)
    if host := remedy.unresolved_name(said):
        meaning = f"the issuing site's host name {host} does not resolve at the redeeming site"
    error.message = meaning or f"the token of {issuer.name} was not redeemed"
    error.site = redeemer.name
    error.subject = f"AccessToken {name}"
    error.next_step = hints.hzlink("link")
    if remedy.of(error) is Remedy.WAIT and "Controller got error" in said:
        error.next_step += f"   (see: {_grant_server(issuer)})"
    if "could not create received secret" in said:
        error.next_step = RENAME
    return error


def _by_api_server(site: Site, doing: str, error: HzlinkError) -> HzlinkError | None:
    """The error if the API server refused the call, otherwise None. The CLI prints the same messages as kubectl."""
    if error.status is ExitStatus.PREREQUISITE or (
        isinstance(error, KubectlError) and error.refusal in _API_SERVER_REFUSALS
    ):
        return error
    said = error.said or ""
    if error.status is ExitStatus.FAILED and classify(said) in _API_SERVER_REFUSALS and "Controller got" not in said:
        return explain(site, doing, said)
    return None


_API_SERVER_REFUSALS = (
    *(Refusal.UNREACHABLE, Refusal.UNAUTHORIZED, Refusal.FORBIDDEN),
    *(Refusal.WEBHOOK, Refusal.POLICY, Refusal.QUOTA),
)


def _wrong_release(error: HzlinkError) -> HzlinkError:
    error.message = "the skupper CLI is not of release 2, which hzlink needs"
    error.subject = "skupper"
    error.status = ExitStatus.PREREQUISITE
    error.next_step = f"{hints.hzlink('link --via kubectl')}   (or install release 2: https://skupper.io/start/)"
    return error
