"""The console script, and `python -m hzlink`."""

import gc


def main() -> None:
    """Runs the command line and exits with its status."""
    # Starting makes many objects and drops none: the collector would only cost time (a tenth of `--help`).
    # running.run turns it on again.
    gc.disable()
    from hzlink.cli import app

    app()


if __name__ == "__main__":
    main()
