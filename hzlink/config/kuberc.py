"""Reads the part of a user's kuberc that applies to hzlink's calls: the policy for credential plugins.

The policy is a security setting (kubectl 1.35 and later). hzlink's calls ignore everything else in a kuberc.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEYS = ("credentialPluginPolicy", "credentialPluginAllowlist")


def plugin_policy(environ: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """A kuberc with only the user's policy for credential plugins; None if the user has no policy."""
    named = environ.get("KUBERC", "")
    if named == "off" or environ.get("KUBECTL_KUBERC") == "false":
        return None
    try:
        text = Path(named or "~/.kube/kuberc").expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError):
        return None
    # Most kubercs have no policy, and loading the YAML parser takes time.
    return _policy(text) if KEYS[0] in text else None


def _policy(text: str) -> dict[str, Any] | None:
    import yaml

    try:
        documents = [found for found in yaml.safe_load_all(text) if isinstance(found, dict)]
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    # kubectl uses the first document whose version it knows.
    ruled = next((found for found in documents if KEYS[0] in found), None)
    kept = ("apiVersion", "kind", *KEYS)
    return None if ruled is None else {key: ruled[key] for key in kept if key in ruled}
