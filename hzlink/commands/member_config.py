"""`hzlink member-config`: prints what lets users' own members advertise their pods' names. Needs no cluster."""

from __future__ import annotations

from hzlink.config import naming
from hzlink.model.choices import ConfigTarget, Discovery
from hzlink.model.errors import UsageError
from hzlink.model.events import Emit, Event, Mark
from hzlink.render import member_config as texts
from hzlink.render.member_config import MemberConfig
from hzlink.render.result import Result

DEFAULT_NAME = "hazelcast"
# The longest name of which a StatefulSet of 100 members still makes valid Service names.
MAX_NAME = 60


async def member_config(
    target: ConfigTarget,
    name: str | None,
    emit: Emit,
    *,
    namespace: str | None = None,
    discovery: Discovery | None = None,
    hazelcast_cluster: str | None = None,
    members: int | None = None,
    operator_namespace: str | None = None,
) -> Result:
    """The configuration as text; how to apply it is emitted and in the notes.

    Raises:
        UsageError: a name that Kubernetes does not accept, or an option that this target does not have.
    """
    _refuse_foreign_options(target, discovery, members, operator_namespace)
    for option, value in (("--namespace", namespace), ("--operator-namespace", operator_namespace)):
        if value is not None and not naming.is_label(value):
            raise UsageError(f"{option} {value!r} is not a namespace's name")
    chosen = DEFAULT_NAME if name is None else name
    if not naming.is_label(chosen) or len(chosen) > MAX_NAME:
        raise UsageError(f"{chosen!r} is not a name such as {DEFAULT_NAME}, of at most {MAX_NAME} characters")
    if hazelcast_cluster is not None and not hazelcast_cluster.strip():
        raise UsageError("--hazelcast-cluster is empty")
    if operator_namespace is not None and namespace is None:
        raise UsageError("--operator-namespace needs the members' namespace", next_step="add --namespace NAMESPACE")
    wanted = MemberConfig(
        target,
        chosen,
        namespace,
        discovery or Discovery.API,
        hazelcast_cluster,
        3 if members is None else members,
        None if operator_namespace == namespace else operator_namespace,
    )
    hints = texts.hints(wanted)
    for hint in hints:
        emit(Event(Mark.NOTE, hint))
    return Result("member-config", text=texts.text(wanted), notes=hints, member_config=target)


def _refuse_foreign_options(
    target: ConfigTarget, discovery: Discovery | None, members: int | None, operator_namespace: str | None
) -> None:
    if target is ConfigTarget.OPERATOR:
        if discovery is not None:
            raise UsageError("--discovery is not for the operator, which configures discovery itself")
        return
    for option, value in (("--members", members), ("--operator-namespace", operator_namespace)):
        if value is not None:
            raise UsageError(f"{option} is only for `hzlink member-config operator`")
