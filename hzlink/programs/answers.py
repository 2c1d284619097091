"""What kubectl answered, as objects; and the errors for answers that are none."""

from __future__ import annotations

from shlex import quote
from typing import Any

from hzlink.model import schema
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import output, process, refusals
from hzlink.programs.refusals import KubectlError, Refusal

# kubectl says so on standard output when `delete --interactive` got no answer.
CANCELLED = "deletion is cancelled"


def asked_first(site: Site, done: process.Completed) -> KubectlError:
    """The error for a deletion that waited for an answer: a wrapper adds --interactive."""
    return KubectlError(
        Refusal.OTHER,
        "kubectl asked before it deleted, and deleted nothing",
        site=site.name,
        said=f"{_path()} printed: {refusals.gist(process.redact(done.stdout))}",
        next_step=f"grep interactive {quote(_path())}   (a wrapper adds --interactive; put kubectl itself on the PATH)",
    )


def _path() -> str:
    """The program that is called as kubectl."""
    return process.find_program("kubectl") or "kubectl"


def document(site: Site, text: str) -> dict[str, Any]:
    """The JSON object that was printed.

    Raises:
        KubectlError: there is none; the program that was called as kubectl is named.
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
    """The objects of a list, or the one object, fitted to their shape; none where nothing was printed.

    Raises:
        KubectlError: something was printed that is no JSON object.
    """
    if not text.strip():
        return []
    answer = document(site, text)
    listed = answer.get("items") if "items" in answer else [answer]
    if not isinstance(listed, list):
        return []
    return [item for one in listed if (item := schema.fitted(one)) is not None]
