"""Commands to copy: a shell splits them into the original arguments, whatever the names are."""

from __future__ import annotations

import shlex
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.programs import hints
from tests.unit.builders import CORE

NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1)


@given(NAMES, NAMES, st.none() | NAMES)
@example("arn:aws:eks:eu:1:cluster/a", "hz", None)
@example("'; rm -rf ~ #", "hz", "/home/me/my config")
@example("$(reboot)`", "-n", "two\nlines")
@example("-n", "hz", "'\"'")
def test_command_is_quoted_for_the_shell(context: str, namespace: str, file: str | None) -> None:
    site = replace(CORE, context=context, namespace=namespace, kubeconfig=file)
    place = [*(["--kubeconfig", file] if file else []), "--context", context]
    assert shlex.split(hints.kubectl(site, "get pods")) == ["kubectl", *place, "-n", namespace, "get", "pods"]
    assert shlex.split(hints.cluster_wide(site, "cluster-info")) == ["kubectl", *place, "cluster-info"]


def test_plain_names_are_not_quoted() -> None:
    assert hints.kubectl(CORE, "describe pods") == "kubectl --context core-ctx -n hz describe pods"
