"""Parses kubectl's output into objects, and the errors for output that is not as expected."""

from __future__ import annotations

from shlex import quote
from typing import Any

from hzlink.model import schema
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import output, process, refusals
from hzlink.programs.refusals import KubectlError, Refusal

# kubectl prints this on standard output if `delete --interactive` gets no confirmation.
CANCELLED = "deletion is cancelled"


def delete_not_confirmed(site: Site, done: process.Completed) -> KubectlError:
    """The error for a deletion that needed a confirmation, because a wrapper adds --interactive."""
    return KubectlError(
        Refusal.OTHER,
        "kubectl asked for confirmation and deleted nothing",
        site=site.name,
        said=f"{_path()} printed: {refusals.gist(process.redact(done.stdout))}",
        next_step=f"grep interactive {quote(_path())}   (a wrapper adds --interactive; put kubectl itself on the PATH)",
    )


def _path() -> str:
    """The path of the program that runs as kubectl."""
    return process.find_program("kubectl") or "kubectl"


def document(site: Site, text: str) -> dict[str, Any]:
    """The JSON object in kubectl's output.

    Raises:
        KubectlError: there is no JSON object; names the program that ran as kubectl.
    """
    found = output.json_object(text)
    if found is None:
        raise KubectlError(
            Refusal.OTHER,
            "kubectl printed something that is not a JSON object",
            site=site.name,
            said=f"{_path()} printed: {process.redact(output.uncoloured(text)[:200].strip())}",
            next_step=f"{quote(_path())} version   (kubectl itself, or a wrapper of it?)",
        )
    return found


def items(site: Site, text: str) -> list[Object]:
    """The objects of a list, or the single object, checked by `schema.fitted`; none if the output is empty.

    Raises:
        KubectlError: the output is not a JSON object.
    """
    if not text.strip():
        return []
    answer = document(site, text)
    listed = answer.get("items") if "items" in answer else [answer]
    if not isinstance(listed, list):
        return []
    return [item for one in listed if (item := schema.fitted(one)) is not None]
