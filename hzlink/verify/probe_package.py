"""Packs the zip that the pod of `verify --in-cluster` runs: modules of hzlink, and the installed Hazelcast client.

So the pod can use any image with Python and downloads nothing. Equal sources give equal bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hzlink.model.errors import HzlinkError
from hzlink.verify import member_client

MIN_PYTHON = (3, 11)

# The modules that the proof needs. They may import only each other and Python's standard library.
MODULES = (
    *("__init__", "programs/__init__", "programs/tasks", "model/__init__", "report/__init__", "report/hops"),
    *(
        f"model/{name}"
        for name in ("errors", "events", "choices", "selectors", "existing_members", "topology", "durations", "objects")
    ),
    *(f"model/{name}" for name in ("conditions", "container_failures", "link_host")),
    *(f"verify/{name}" for name in ("__init__", "probe", "probe_messages", "site_proof", "endpoints")),
    *(f"verify/{name}" for name in ("member_client", "client_refusals", "proof", "latency")),
)

# Kubernetes' limit for a ConfigMap in bytes, without the space for the plan.
LIMIT = 2**20 - 2**16

# Also runs on an older Python, to report that it is too old.
_MAIN = f"""\
import sys
if sys.version_info < {MIN_PYTHON}:
    sys.exit("hzlink's probe needs Python {MIN_PYTHON[0]}.{MIN_PYTHON[1]}, this is %d.%d" % sys.version_info[:2])
from hzlink.verify.probe import main
sys.exit(main(sys.argv[1]))
"""

# The earliest date in a zip.
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(limit: int = LIMIT) -> bytes:
    """The zip.

    Raises:
        HzlinkError: it is larger than `limit` bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o444 << 16
            archive.writestr(entry, content)
    packed = buffer.getvalue()
    if len(packed) > limit:
        raise HzlinkError(
            "the Hazelcast client is too large for a ConfigMap, so it cannot be copied into a pod",
            said=f"{len(packed)} bytes packed; the limit is {limit}",
            next_step="pip install 'hazelcast-python-client>=5.5,<6'   (a release that fits), or verify without "
            "--in-cluster",
        )
    return packed


def _files() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    own = Path(__file__).parent.parent
    for name in sorted(MODULES):
        yield f"hzlink/{name}.py", (own / f"{name}.py").read_bytes()
    client = member_client.folder()
    for path in sorted(client.rglob("*.py")):
        yield path.relative_to(client.parent).as_posix(), path.read_bytes()
