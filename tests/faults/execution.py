"""Runs a row: creates foreign objects, sets the fault, runs hzlink, checks its output and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import bystanders, secrets_found
from tests.faults.fault import Fault
from tests.faults.secrets_found import Seen
from tests.faults.world import Faults, World, files_of, tokens_left
from tests.sandbox.conftest import Ran
from tests.sandboxed import Namespaces, Sandbox


@dataclass
class Tally:
    """The counts of the rows that ran."""

    answered: int = 0
    rows: int = 0
    searched: int = 0
    secrets: list[str] = field(default_factory=list)
    compared: int = 0
    changed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A row's run, and what was found after it."""

    ran: Ran
    again: Ran | None
    left: list[str]
    changed: list[str]
    secrets: list[str]
    names: dict[str, str]


@dataclass(frozen=True)
class Rig:
    """What all rows share."""

    sandbox: Sandbox
    faults: Faults
    seen: Seen
    tally: Tally
    folder: Path

    def execute(self, fault: Fault) -> Outcome:
        """Runs one row in its own namespace."""
        namespaces = Namespaces(self.sandbox)
        world = World(self.sandbox, self.faults, namespaces.make("none"), self.folder / fault.name)
        try:
            bystanders.plant(world, fault.bystanders)
            fault.breaks(world)
            before = bystanders.content(world)
            ran = world.hzlink(*fault.command, "-o", "json", "-vv")
            again = self._again(world, fault) if fault.heals else None
            world.close()
            left, after = tokens_left(world), bystanders.content(world)
            return self._told(world, ran, again, left, before, after)
        finally:
            world.close()
            namespaces.empty()

    def _again(self, world: World, fault: Fault) -> Ran:
        world.mend()
        return world.hzlink(*fault.command, "-o", "json", "-vv")

    def _told(
        self, world: World, ran: Ran, again: Ran | None, left: list[str], before: dict[str, str], after: dict[str, str]
    ) -> Outcome:
        texts = {"standard output": ran.out, "standard error": ran.err, **files_of(world)}
        if again is not None:
            texts |= {"standard output (again)": again.out, "standard error (again)": again.err}
        secrets = secrets_found.found_in(texts, self.seen.of(world.namespace) | world.secrets)
        changed = bystanders.changed(before, after)
        self.tally.searched += len(texts)
        self.tally.secrets += secrets
        self.tally.compared += len(before)
        self.tally.changed += changed
        names = {"client": "client", "cluster": "cluster", "namespace": world.namespace}
        return Outcome(ran, again, left, changed, secrets, names)
