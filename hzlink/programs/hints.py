"""Commands for the user to copy: quoted for a shell, with the site's kubeconfig, context and namespace."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from hzlink.model import conditions, container_failures, objects
from hzlink.model.objects import Object
from hzlink.model.topology import Site

# The site flags of this run, as typed. The command line sets them once, so that a command to copy names the same sites.
site_flags: list[str] = []
# The flags for the topology's settings, as typed, for a command that proposes `up` with them.
setting_flags: list[str] = []


def hzlink(words: str) -> str:
    """An hzlink command for the sites of this run."""
    return " ".join(["hzlink", words, *(quote(word) for word in site_flags)])


def up_as_typed() -> str:
    """`hzlink up` for the sites of this run, with the settings that were typed."""
    return " ".join([hzlink("up"), *(quote(word) for word in setting_flags)])


def member_config() -> str:
    """The command that prints how members tell clients their pods' names."""
    return "hzlink member-config helm|operator|yaml"


def kubectl(site: Site, words: str) -> str:
    """A kubectl command for a site's namespace."""
    file = f" --kubeconfig {quote(site.kubeconfig)}" if site.kubeconfig else ""
    return f"kubectl{file} --context {quote(site.context)} -n {quote(site.namespace)} {words}"


def cluster_wide(site: Site, words: str) -> str:
    """A kubectl command for a site's cluster, without a namespace."""
    file = f" --kubeconfig {quote(site.kubeconfig)}" if site.kubeconfig else ""
    return f"kubectl{file} --context {quote(site.context)} {words}"


def pods(site: Site, found: Iterable[Object], selector: str, workload: str = "") -> str:
    """The command that shows why the pods of a label selector are not ready, such as the log of a crashed container.

    `workload`: the object that creates the pods, as kubectl takes it. If there are no pods, the command describes it.
    """
    listed = list(found)
    if not listed and workload:
        return kubectl(site, f"describe {workload}")
    last = (previous_log(site, pod) for pod in listed)
    return next(filter(None, last), kubectl(site, f"describe pods -l {selector}"))


def previous_log(site: Site, pod: Object) -> str:
    """The command that shows why a container of the pod ended; empty if none has ended.

    The command prints the log, unless the container was killed or never started: then the log does not show the reason.
    """
    if (killed := container_failures.was_out_of_memory(pod)) is not None:
        ranged = container_failures.is_limit_from_range(pod, killed)
        return kubectl(site, "describe limitranges" if ranged else f"describe pod {quote(objects.name(pod))}")
    container = conditions.crashed_container(pod)
    if container is None:
        return ""
    if not container_failures.has_previous_log(container):
        return kubectl(site, f"describe pod {quote(objects.name(pod))}")
    return kubectl(site, f"logs {quote(objects.name(pod))} -c {quote(str(container.get('name')))} --previous")
