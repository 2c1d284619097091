"""Credentials that hzlink holds during a run: plugins were run once for them, before kubectl's calls began.

kubectl runs a credential plugin for each of its calls. One that asks a person could not do so from calls side by side,
and a slow one would use up each call's deadline. `hzlink/config/logins.py` runs the plugins.
"""

from __future__ import annotations

from typing import Protocol

from hzlink.model.topology import Site
from hzlink.programs.refusals import KubectlError, Refusal


class Holder(Protocol):
    """A held credential, or why there is none."""

    failure: dict[str, str | None] | None

    def kubeconfig(self, site: Site) -> str:
        """The kubeconfig file with the credential in it."""

    async def refresh(self) -> int:
        """Runs the plugin again if the credential is about to expire. The number of the one that it holds now."""

    async def renew(self, number: int) -> bool:
        """Runs the plugin again, because the API server refused this credential; whether there is another one now."""


_held: dict[tuple[str | None, str], Holder] = {}
# Seconds that a call may take whose plugin is left to kubectl.
_patience: dict[tuple[str | None, str], float] = {}


def hold(site: Site, holder: Holder) -> None:
    """From now on, calls for the site's context use this credential."""
    _held[site.kubeconfig, site.context] = holder


def leave_to_kubectl(site: Site, seconds: float) -> None:
    """From now on, calls for the site's context may take so long, as kubectl runs a plugin in each of them."""
    _patience[site.kubeconfig, site.context] = seconds


def patience(site: Site) -> float:
    """Seconds that a call may take at least, because kubectl runs a plugin in it; 0 where it does not."""
    return _patience.get((site.kubeconfig, site.context), 0.0)


def release() -> None:
    """Forgets all of them."""
    _held.clear()
    _patience.clear()


def kubeconfig(site: Site) -> str | None:
    """The kubeconfig file for a call; None for kubectl's own look-up.

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
    """Sees to it that the credential for a call is not about to expire. Returns its number, for `renew`."""
    holder = _held.get((site.kubeconfig, site.context))
    return 0 if holder is None else await holder.refresh()


async def renew(site: Site, number: int) -> bool:
    """Whether there is another credential, after the API server refused the one of that number."""
    holder = _held.get((site.kubeconfig, site.context))
    return holder is not None and await holder.renew(number)
