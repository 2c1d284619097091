"""Credentials for a run, from credential plugins that ran once before kubectl's calls.

kubectl runs a credential plugin in each of its calls. An interactive plugin cannot ask from parallel calls, and a slow
one exceeds the deadline of each call. `hzlink/config/logins.py` runs the plugins.
"""

from __future__ import annotations

from typing import Protocol

from hzlink.model.topology import Site
from hzlink.programs.refusals import KubectlError, Refusal


class Holder(Protocol):
    """A credential, or the reason why there is none."""

    failure: dict[str, str | None] | None

    def kubeconfig(self, site: Site) -> str:
        """The path of the kubeconfig file that contains the credential."""

    async def refresh(self) -> int:
        """Runs the plugin again if the credential is about to expire. Returns the number of the current credential."""

    async def renew(self, number: int) -> bool:
        """Runs the plugin again after the API server refused credential `number`; whether there is a new credential."""


_held: dict[tuple[str | None, str], Holder] = {}
# Minimum deadline in seconds of calls in which kubectl runs the plugin.
_min_call_seconds: dict[tuple[str | None, str], float] = {}


def hold(site: Site, holder: Holder) -> None:
    """Makes calls for the site's context use this credential."""
    _held[site.kubeconfig, site.context] = holder


def leave_to_kubectl(site: Site, seconds: float) -> None:
    """Gives calls for the site's context at least `seconds`, because kubectl runs the plugin in each of them."""
    _min_call_seconds[site.kubeconfig, site.context] = seconds


def min_call_seconds(site: Site) -> float:
    """The minimum deadline of a call in seconds, because kubectl runs a plugin in it; 0 if it does not."""
    return _min_call_seconds.get((site.kubeconfig, site.context), 0.0)


def release() -> None:
    """Removes all credentials and minimum deadlines."""
    _held.clear()
    _min_call_seconds.clear()


def kubeconfig(site: Site) -> str | None:
    """The kubeconfig file for a call; None for kubectl's default.

    Raises:
        KubectlError: the context's credential plugin gave no credential.
    """
    holder = _held.get((site.kubeconfig, site.context))
    if holder is None:
        return site.kubeconfig
    if holder.failure is not None:
        raise KubectlError(Refusal.UNAUTHORIZED, site=site.name, **holder.failure)  # type: ignore[arg-type]
    return holder.kubeconfig(site)


async def refresh(site: Site) -> int:
    """Renews the credential for a call if it is about to expire. Returns its number, for `renew`."""
    holder = _held.get((site.kubeconfig, site.context))
    return 0 if holder is None else await holder.refresh()


async def renew(site: Site, number: int) -> bool:
    """Whether there is a new credential, after the API server refused credential `number`."""
    holder = _held.get((site.kubeconfig, site.context))
    return holder is not None and await holder.renew(number)
