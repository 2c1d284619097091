"""Finds what hzlink must not leave behind: forwarded ports, and maps at the members."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hzlink.model.choices import Role
from hzlink.model.topology import Site
from hzlink.verify import bench, member_client, site_proof
from hzlink.verify.port_forward import tunnel
from tests.sandbox.conftest import Hzlink

OWN = (site_proof.MAP_PREFIX, bench.MAP_PREFIX)


def forwards(namespace: str) -> list[int]:
    """The pids of port-forwards into a namespace."""
    wanted = {b"port-forward", f"--namespace={namespace}".encode()}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = set((folder / "cmdline").read_bytes().split(b"\0"))
        except OSError:
            continue
        if wanted <= words:
            found.append(int(folder.name))
    return found


def own_maps(hzlink: Hzlink) -> list[str]:
    """hzlink's own maps in the cluster. Needs the sandbox's kubectl on the PATH (fixture `kubeconfig`)."""
    site = Site("cluster", Role.CLUSTER, "cluster", hzlink.namespace, str(hzlink.sandbox.kubeconfig))

    async def read() -> list[str]:
        async with tunnel(site, "pod/hazelcast-0", 5701) as forward:
            client = await member_client.connect(forward.address, "dev")
            try:
                return [name for name in await client.maps() if name.startswith(OWN)]
            finally:
                await client.close()

    return asyncio.run(read())
