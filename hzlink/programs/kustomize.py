"""Builds manifests with the kustomize that is built into kubectl. Needs no cluster."""

from __future__ import annotations

from hzlink.model.errors import HzlinkError
from hzlink.programs import output, process, refusals
from hzlink.programs.kubectl import CALL_DEADLINE_SECONDS, HINT


async def build(folder: str) -> str:
    """`kubectl kustomize`: the folder's manifests as one YAML stream.

    Raises:
        HzlinkError: kustomize failed; contains kustomize's message.
    """
    argv = [process.require_program("kubectl", HINT), "kustomize", folder]
    done = await process.run(argv, deadline=CALL_DEADLINE_SECONDS)
    if done.code != 0:
        raise HzlinkError("the manifests cannot be built", said=refusals.gist(done.said))
    return output.yaml_stream(done.stdout)
