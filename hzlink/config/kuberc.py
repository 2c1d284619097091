"""The one part of a user's kuberc that holds for hzlink's calls, too: which credential plugins may be run.

It is a rule for safety (kubectl 1.35 and later), not a preference. All else in a kuberc is left out of hzlink's calls.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEYS = ("credentialPluginPolicy", "credentialPluginAllowlist")


def plugin_policy(environ: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """A kuberc with the user's rule for credential plugins alone; None where there is no such rule."""
    named = environ.get("KUBERC", "")
    if named == "off" or environ.get("KUBECTL_KUBERC") == "false":
        return None
    try:
        text = Path(named or "~/.kube/kuberc").expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError):
        return None
    # Most have none, and YAML takes time to load.
    return _rule(text) if KEYS[0] in text else None


def _rule(text: str) -> dict[str, Any] | None:
    import yaml

    try:
        documents = [found for found in yaml.safe_load_all(text) if isinstance(found, dict)]
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    # kubectl takes the first document that it knows the version of.
    ruled = next((found for found in documents if KEYS[0] in found), None)
    kept = ("apiVersion", "kind", *KEYS)
    return None if ruled is None else {key: ruled[key] for key in kept if key in ruled}
