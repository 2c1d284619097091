"""The group of commands: what the command line itself refuses is a document, too, where one was asked for."""

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

# Click's UsageError. Some versions of typer bring click as a package, others inside themselves.
_REFUSED: Any = typer.BadParameter.__base__


class Commands(TyperGroup):
    """The commands. What the command line itself refuses is a document, too, where one was asked for."""

    _typed: tuple[str, ...] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keeps what was typed: parsing takes it apart."""
        self._typed = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except _REFUSED as error:
            _show_refusal(self._typed, error)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was typed."""
        try:
            return super().invoke(ctx)
        except _REFUSED as error:
            _show_refusal(self._typed, error)
            raise


def _show_refusal(typed: Sequence[str], error: Any) -> None:
    """Prints the document of a run that did not begin; typer says the error itself, on standard error."""
    output = _wanted_output(typed)
    if output not in ("json", "yaml"):
        return
    from hzlink.cli.console import Console
    from hzlink.cli.error_boundary import failed
    from hzlink.model.errors import UsageError

    name = error.ctx.info_name if error.ctx is not None and error.ctx.parent is not None else None
    refusal = UsageError(error.format_message(), next_step=f"hzlink {name} --help" if name else "hzlink --help")
    Console(output, verbose=0, quiet=True, no_color=True).show_document(failed(name or "hzlink", refusal))


def _wanted_output(typed: Sequence[str]) -> str:
    """What `-o` asked for, read without a parser: that one had given up, perhaps before it came to it."""
    wanted = ""
    for word, after in zip(typed, [*typed[1:], ""], strict=True):
        if word in ("-o", "--output"):
            wanted = after
        elif word.startswith("--output="):
            wanted = word.removeprefix("--output=")
        elif word.startswith("-o"):
            wanted = word[2:]
    return wanted
