"""A user's kubectl settings and wrappers do not change hzlink's calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hzlink.model.choices import Role
from hzlink.model.objects import Ref
from hzlink.model.topology import Site
from hzlink.programs import kustomize
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from tests.process.programs import Programs, items

SITE = Site("edge", Role.CLIENT, "edge", "hz")
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}}
REF = Ref("pods", "p")
WARNING = "echo 'WARN: this kubectl is outdated'; echo '{\"level\":\"warn\"}'"
COLOURED = "sed 's/\"kind\"/\\x1b[33m&\\x1b[0m/'"


def answer(call: Callable[[Kubectl], Any]) -> Any:
    async def answered() -> Any:
        return await call(Kubectl(SITE))

    return asyncio.run(answered())


def watched(kubectl: Kubectl) -> Any:
    async def watch() -> list[tuple[str, Any]]:
        async with kubectl.watch("pods") as events:
            return [event async for event in events]

    return watch()


def test_every_call_has_a_clean_environment(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls with and without additional variables: a get, a wait, a watch, kustomize."""
    for name in ("KUBERC", "KUBECTL_EXTERNAL_DIFF", "SKUPPER_PLATFORM", "KUBECOLOR_FORCE_COLORS"):
        monkeypatch.setenv(name, "the-users")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    seen = programs.folder / "env"
    programs.script("kubectl", f"env >>{seen}; echo call >>{seen}")
    answer(lambda k: k.get(REF))
    answer(lambda k: k.wait_gone([REF], 1))
    answer(watched)
    asyncio.run(kustomize.build("."))
    calls = seen.read_text().split("call\n")[:-1]
    assert len(calls) == 4
    for call in calls:
        assert "the-users" not in call
        assert {"KUBERC=off", "KUBECTL_KUBERC=false", "HTTPS_PROXY=http://proxy.example"} <= set(call.splitlines())


def put(programs: Programs, *, out: str = "", missing: str = "", through: str = "cat") -> None:
    """A wrapper that warns on standard output before kubectl's own output; `missing`: kubectl's words for an object
    that is not there, if it is not told to leave them out."""
    (programs.folder / "out").write_text(out)
    fail = f"echo '{missing}' >&2; exit 1" if missing else "exit 0"
    programs.script(
        "kubectl",
        f'{WARNING}\ncat {programs.folder}/out | {through}\n'
        f'case "$*" in *--ignore-not-found*) exit 0;; *" get "*) {fail};; esac',
    )  # fmt: skip


@pytest.mark.parametrize("through", ["cat", COLOURED], ids=["plain", "coloured"])
def test_output_of_a_wrapper_with_warnings_or_colours_is_read(programs: Programs, through: str) -> None:
    put(programs, out=items(POD, POD), through=through)
    assert answer(lambda k: k.objects(["pods"])) == [POD, POD]
    put(programs, out=json.dumps(POD, indent=4), through=through)
    assert answer(lambda k: k.get(REF)) == POD
    assert answer(lambda k: k.create(POD)) == POD


def test_output_without_objects_is_read(programs: Programs) -> None:
    put(programs, out="owners-of Secret Site")
    assert answer(lambda k: k.owner_kinds(REF)) == ["Site"]
    put(programs, out="a-secret\tOpaque\tkey\n")
    assert answer(lambda k: k.secret_keys()) == [["a-secret", "Opaque", "key"]]
    put(programs, out="pods\nsites.skupper.io\n")
    assert answer(lambda k: k.listable_types()) == ["pods", "sites.skupper.io"]
    put(programs, out=json.dumps({"type": "ADDED", "object": POD}) + "\n")
    assert answer(watched) == [("ADDED", POD)]
    put(programs, out="apiVersion: v1\nkind: Pod\n")
    assert asyncio.run(kustomize.build(".")) == "apiVersion: v1\nkind: Pod\n"


def test_missing_object_below_a_warning_is_none(programs: Programs) -> None:
    put(programs, missing='Error from server (NotFound): pods "p" not found')
    assert answer(lambda k: k.get(REF)) is None
    assert answer(lambda k: k.owner_kinds(REF)) is None


def test_program_that_is_not_kubectl_is_named(programs: Programs) -> None:
    path = programs.script("kubectl", "echo moo")
    with pytest.raises(KubectlError) as raised:
        answer(lambda k: k.get(REF))
    assert raised.value.said == f"{path} printed: moo"
    assert path in (raised.value.next_step or "")


def test_delete_that_asked_for_confirmation_is_an_error(programs: Programs) -> None:
    """kubectl's own words, with no terminal to ask at; it exits with 0."""
    asks = "You are about to delete the following 1 resource(s):\npod/p\nDo you want to continue? (y/n): "
    programs.recorder("kubectl", out=f"{asks}deletion is cancelled\n")
    with pytest.raises(KubectlError, match="asked for confirmation and deleted nothing") as raised:
        answer(lambda k: k.delete([REF]))
    assert raised.value.refusal is Refusal.OTHER
    assert Path(programs.folder / "kubectl").name in (raised.value.next_step or "")
