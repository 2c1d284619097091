"""The environment variables that hzlink passes to its programs."""

from __future__ import annotations

import pytest

from hzlink.programs import environment

CHANGES_A_CALL = {
    "KUBERC": "/home/ann/.kube/kuberc",
    "KUBECTL_KUBERC": "true",
    "KUBECTL_EXTERNAL_DIFF": "meld",
    "KUBECTL_COMMAND_HEADERS": "true",
    "KUBECTL_APPLYSET": "true",
    "KUBECTL_INTERACTIVE_DELETE": "true",
    "KUBECTL_OF_A_LATER_RELEASE": "1",
    "KUBE_FEATURE_WatchListClient": "true",
    "KUBERNETES_MASTER": "https://elsewhere.example",
    "SKUPPER_PLATFORM": "podman",
    "SKUPPER_OF_A_LATER_RELEASE": "1",
    "LC_ALL": "de_DE.UTF-8",
    "LANGUAGE": "de",
    "NO_COLOR": "",
    "FORCE_COLOR": "1",
    "CLICOLOR_FORCE": "1",
    "KUBECOLOR_FORCE_COLORS": "always",
    "GREP_OPTIONS": "--color=always",
}
LEADS_TO_A_CLUSTER = {
    "PATH": "/usr/bin",
    "HOME": "/home/ann",
    "KUBECONFIG": "a:b",
    "KUBECACHEDIR": "/var/cache",
    "HTTPS_PROXY": "http://proxy.example",
    "https_proxy": "http://proxy.example",
    "NO_PROXY": "10.0.0.0/8",
    "SSL_CERT_FILE": "/etc/ssl/own.pem",
    "AWS_PROFILE": "prod",
    "AZURE_CONFIG_DIR": "/x",
    "CLOUDSDK_CONFIG": "/x",
    "GODEBUG": "netdns=go",
    "LANG": "de_DE.UTF-8",
}


@pytest.mark.parametrize("name", CHANGES_A_CALL)
def test_variable_that_changes_calls_is_removed(name: str) -> None:
    assert environment.own({name: CHANGES_A_CALL[name]}) == environment.own({})


def test_variables_for_access_to_a_cluster_are_kept() -> None:
    assert environment.own(LEADS_TO_A_CLUSTER).items() >= LEADS_TO_A_CLUSTER.items()


def test_every_removed_variable_has_a_reason() -> None:
    assert all(row.reason and row.names for row in environment.NEUTRALISED)
