"""Makes the README's pictures from a real run on a sandbox of its own: docs/status.svg.

.venv/bin/python scripts/pictures.py
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from hzlink import config, report, result
from hzlink.config import Flags
from hzlink.observe import observe_all
from hzlink.render.table import show
from sandbox.layout import Layout

ROOT = Path(__file__).resolve().parents[1]
SANDBOX = "pictures"
# The README's names; the sandbox calls them client and cluster.
RENAMED = {"client": "edge", "cluster": "core"}


def main() -> None:
    """Starts a sandbox, runs `hzlink up`, and draws what `hzlink status` shows."""
    sandbox = str(ROOT / "scripts/sandbox.sh")
    owner = str(os.getpid())
    subprocess.run([sandbox, "up", "--name", SANDBOX, "--profile", "fast", "--owner", owner], check=True)
    layout = Layout.named(SANDBOX)
    os.environ["KUBECONFIG"] = str(layout.kubeconfig)
    os.environ["PATH"] = f"{layout.bin}{os.pathsep}{os.environ['PATH']}"
    os.environ["XDG_STATE_HOME"] = str(layout.state / "xdg")
    try:
        for old, new in RENAMED.items():
            subprocess.run(["kubectl", "config", "rename-context", old, new], check=True)
        hzlink = str(Path(sys.executable).parent / "hzlink")
        subprocess.run([hzlink, "up", "--client-ctx", "edge", "--cluster-ctx", "core"], check=True)
        draw(ROOT / "docs/status.svg")
    finally:
        subprocess.run([sandbox, "down", "--name", SANDBOX], check=True)


def draw(file: Path) -> None:
    """Draws the status of the recorded topology."""
    topology = config.resolve(Flags()).topology
    seen = report.make(topology, asyncio.run(observe_all(topology.sites)))
    console = Console(record=True, width=92, force_terminal=True, color_system="truecolor", highlight=False)
    console.print("$ hzlink status", style="bold")
    show(console, result.verdict("status", seen))
    svg = console.export_svg(title="hzlink")
    # Whoever looks at the picture need not fetch a font from anywhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    print(f"wrote {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
