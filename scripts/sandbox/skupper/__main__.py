"""`python -m sandbox.skupper controller --state DIR` and `python -m sandbox.skupper cli ARGS...`."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Runs one of the two programs; its exit code."""
    if arguments[:1] == ["cli"]:
        from sandbox.skupper.cli.main import main as cli

        return cli(arguments[1:])
    return _controller(arguments)


def _controller(arguments: list[str]) -> int:
    import argparse
    import logging
    import signal
    import threading
    from pathlib import Path

    from sandbox.layout import Layout
    from sandbox.skupper import controllers

    parser = argparse.ArgumentParser(prog="sandbox.skupper")
    parser.add_argument("program", choices=["controller"])
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's folder, with its kubeconfig")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controllers.run(Layout(options.state), stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
