"""Command lines for the user to copy: quoted for a shell, with the site's kubeconfig, context and namespace. Pure."""

from __future__ import annotations

from shlex import quote

from hzlink.topology import Site


def kubectl(site: Site, words: str) -> str:
    """A kubectl command at a site."""
    file = f" --kubeconfig {quote(site.kubeconfig)}" if site.kubeconfig else ""
    return f"kubectl{file} --context {quote(site.context)} -n {quote(site.namespace)} {words}"


def cluster_wide(site: Site, words: str) -> str:
    """A kubectl command at a site's cluster, whatever the namespace."""
    file = f" --kubeconfig {quote(site.kubeconfig)}" if site.kubeconfig else ""
    return f"kubectl{file} --context {quote(site.context)} {words}"
