"""The command that shows why pods do not run, chosen by the reason."""

from __future__ import annotations

from collections.abc import Iterable

from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import admission, hints


def next_step(site: Site, found: Iterable[Object], selector: str, workload: str, said: str) -> str:
    """A command that shows the admission rule, the log of a crashed container, or the description of the pods.

    Args:
        site: the pods' site.
        found: the pods.
        selector: their label selector.
        workload: the object that creates them, as kubectl takes it.
        said: the reason why they do not run, as the cluster says.
    """
    return admission.hint(site, said) or hints.pods(site, found, selector, workload)
