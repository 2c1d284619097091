"""Decides whether a new image can replace the members one by one, or all members must be stopped first. Pure.

Members of different minor versions do not form one cluster: the old members refuse the first new one, which then fails
repeatedly. Only Hazelcast Enterprise supports rolling upgrades, and only to the next minor version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hzlink.model import conditions, members, objects, versions
from hzlink.model.objects import Object
from hzlink.model.topology import MEMBER_CONTAINER, Topology
from hzlink.model.versions import Version
from hzlink.observe.snapshot import Snapshot

_ENTERPRISE = "enterprise"


@dataclass(frozen=True)
class Restart:
    """All members must be stopped: the names of their pods, their versions, and the new image."""

    pods: tuple[str, ...]
    before: tuple[str, ...]
    image: str

    @property
    def why(self) -> str:
        """The reason, for a step."""
        return f"until all members are stopped: {self.image} is another minor version than {', '.join(self.before)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The consequences, for the user."""
        count = f"{len(self.pods)} member{'' if len(self.pods) == 1 else 's'}"
        return (
            f"the members run Hazelcast {', '.join(self.before)}; {self.image} is another minor version",
            "members of two minor versions do not form one cluster (only Hazelcast Enterprise supports a rolling "
            "upgrade, to the next minor version)",
            f"hzlink would stop all {count} ({', '.join(self.pods)}) and then start new ones",
            "data that is only in memory is lost; clients have no cluster until the new members are ready",
        )


def restart_for(topology: Topology, wanted: Object | None, snapshot: Snapshot) -> Restart | None:
    """The restart that the wanted StatefulSet needs; None if it needs none, or if the versions are not known.

    Only ready members count: a member that was refused has no data.
    """
    image = image_of(wanted, MEMBER_CONTAINER)
    after = versions.parse(versions.of_image(image))
    if after is None:
        return None
    ready = [pod for pod in members.pods_of(topology, snapshot.of("Pod")) if conditions.is_ready(pod)]
    found = {}
    for pod in ready:
        before = versions.parse(versions.of_image(_image(objects.spec(pod), MEMBER_CONTAINER)))
        if before is not None and not _can_roll(_image(objects.spec(pod), MEMBER_CONTAINER), before, image, after):
            found[objects.name(pod)] = before
    if not found:
        return None
    return Restart(tuple(map(objects.name, ready)), tuple(map(str, sorted(set(found.values())))), image)


def _can_roll(before_image: str, before: Version, after_image: str, after: Version) -> bool:
    if before.major == after.major and before.minor == after.minor:
        return True
    enterprise = _ENTERPRISE in before_image and _ENTERPRISE in after_image
    return enterprise and before.major == after.major and after.minor == before.minor + 1


def image_of(workload: Object | None, container: str) -> str:
    """The image of a workload's container; empty if there is no container of that name."""
    return _image((objects.spec(workload or {}).get("template") or {}).get("spec") or {}, container)


def _image(pod_spec: Object, container: str) -> str:
    listed: Sequence[Object] = pod_spec.get("containers") or []
    return next((str(one.get("image") or "") for one in listed if one.get("name") == container), "")


def stopped(wanted: Object) -> Object:
    """The wanted StatefulSet with 0 replicas."""
    return {**wanted, "spec": {**objects.spec(wanted), "replicas": 0}}
