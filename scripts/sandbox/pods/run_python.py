"""Run as a script: HOSTS SCRIPT [ARG...]. Becomes SCRIPT (or a zip with one), which connects to names as its pod does.

A program of its own because it is started without this environment's packages, as a container would be.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from sandbox.network.names import use_names

    sys.path.pop(0)
    use_names(Path(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
