"""The command that shows why pods do not run, by what is said of them."""

from __future__ import annotations

from collections.abc import Iterable

from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import admission, hints


def next_step(site: Site, found: Iterable[Object], selector: str, workload: str, said: str) -> str:
    """The rule that does not let them be created, the last words of one that crashed, or what describes them.

    Args:
        site: where they are.
        found: the pods.
        selector: their labels.
        workload: what creates them, as kubectl takes it.
        said: what is said of why they do not run.
    """
    return admission.hint(site, said) or hints.pods(site, found, selector, workload)
