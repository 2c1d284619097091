"""Reads hzlink.yaml, which has the same settings as the flags. Errors name file, line and key."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from hzlink.model import durations, existing_members, switches
from hzlink.model.choices import Expose, LinkAccess, LinkFrom, ModeChoice, Via
from hzlink.model.errors import UsageError

# Key in the file: name of the flag.
KEYS = {
    "clientContexts": "client_ctx",
    "clusterContext": "cluster_ctx",
    "namespace": "namespace",
    "clientNamespaces": "client_ns",
    "clusterNamespace": "cluster_ns",
    "kubeconfig": "kubeconfig",
    "clientKubeconfig": "client_kubeconfig",
    "clusterKubeconfig": "cluster_kubeconfig",
    "hubContext": "hub_ctx",
    "hubNamespace": "hub_ns",
    "hubKubeconfig": "hub_kubeconfig",
    "name": "name",
    "service": "service",
    "mode": "mode",
    "expose": "expose",
    "members": "members",
    "hazelcastCluster": "hazelcast_cluster",
    "image": "image",
    "linkFrom": "link_from",
    "linkAccess": "link_access",
    "linkHost": "link_host",
    "via": "via",
    "addressTimeout": "address_timeout",
    "probeImage": "probe_image",
    "mancenterImage": "mancenter_image",
    "mancenter": "mancenter",
    "pullSecrets": "pull_secret",
    "appNamespaces": "app_namespace",
    "clusterDomain": "cluster_domain",
    "timeout": "timeout",
}
LISTS = ("clientContexts", "clientNamespaces", "pullSecrets", "appNamespaces")
SWITCHES = ("mancenter",)
DURATIONS = ("timeout", "addressTimeout")
CHOICES: dict[str, type[StrEnum]] = {
    "mode": ModeChoice,
    "expose": Expose,
    "linkFrom": LinkFrom,
    "linkAccess": LinkAccess,
    "via": Via,
}


def load(path: Path) -> dict[str, Any]:
    """The file's settings, by the flags' keys.

    Raises:
        UsageError: not YAML, an unknown key, or a value of the wrong kind; names file, line and key.
    """
    import yaml

    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise UsageError(
            f"{path}, line {line}: not YAML", said=str(getattr(error, "problem", error) or error)
        ) from None
    except RecursionError:
        raise UsageError(f"{path}, line 1: not a mapping of settings") from None
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == ""):
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise UsageError(f"{path}, line 1: not a mapping of settings")
    values: dict[str, Any] = {}
    for key_node, value_node in root.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UsageError(f"{path}, line {line}: unknown key (a key is a single word)")
        key = str(key_node.value)
        if key not in KEYS:
            raise UsageError(f"{path}, line {line}: unknown key {key}", said=f"known keys: {', '.join(KEYS)}")
        if KEYS[key] in values:
            raise UsageError(f"{path}, line {line}: {key} is set twice")
        if key == "members" and isinstance(value_node, yaml.MappingNode):
            values |= _members(path, value_node)
            continue
        values[KEYS[key]] = _value(path, line, key, value_node)
    return values


# Key below `members`: name of the flag.
MEMBERS_KEYS = {"from": "members_from", "port": "members_port"}


def _members(path: Path, node: Any) -> dict[str, Any]:
    """`members: {from: statefulset/NAME, port: 5701}`, for members that hzlink does not deploy."""
    import yaml

    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, key = key_node.start_mark.line + 1, str(key_node.value)
        if not isinstance(key_node, yaml.ScalarNode) or key not in MEMBERS_KEYS:
            raise UsageError(f"{path}, line {line}: unknown key members.{key}", said="known keys: from, port")
        if MEMBERS_KEYS[key] in values:
            raise UsageError(f"{path}, line {line}: members.{key} is set twice")
        if not isinstance(value_node, yaml.ScalarNode) or value_node.value == "":
            raise UsageError(f"{path}, line {line}: members.{key} must be a single value")
        values[MEMBERS_KEYS[key]] = str(value_node.value)
    if "members_from" not in values:
        line = node.start_mark.line + 1
        raise UsageError(f"{path}, line {line}: members has no from", said=f"from: {existing_members.FORMS}")
    return values


def _value(path: Path, line: int, key: str, node: Any) -> Any:
    import yaml

    if key in LISTS:
        if isinstance(node, yaml.SequenceNode) and all(isinstance(n, yaml.ScalarNode) for n in node.value):
            return [str(item.value) for item in node.value]
        raise UsageError(f"{path}, line {line}: {key} must be a list of names")
    if not isinstance(node, yaml.ScalarNode) or node.value == "":
        raise UsageError(f"{path}, line {line}: {key} must be a single value")
    try:
        if key == "members":
            float(node.value)
        elif key in DURATIONS:
            durations.parse(node.value)
    except ValueError:
        wanted = "a number" if key == "members" else f"a duration such as {durations.FORMS}"
        raise UsageError(f"{path}, line {line}: {key} must be {wanted}") from None
    if key in SWITCHES and switches.parse(node.value) is None:
        raise UsageError(f"{path}, line {line}: {key} must be true or false")
    if key in CHOICES and node.value not in list(CHOICES[key]):
        raise UsageError(f"{path}, line {line}: {key} must be one of {', '.join(CHOICES[key])}")
    return str(node.value)
