"""The group of commands. It prints usage errors as a document, too, if `-o json` or `-o yaml` is given."""

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

# Click's UsageError. Some versions of typer bring click as a package, others inside themselves.
_REFUSED: Any = typer.BadParameter.__base__


class Commands(TyperGroup):
    """The commands. Usage errors are printed as a document, too, if `-o json` or `-o yaml` is given."""

    _typed: tuple[str, ...] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the command line, and keeps the arguments as typed."""
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
    """Prints the document of a usage error. typer prints the error itself to standard error."""
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
    """The value of `-o`, read without the parser, which may have failed before it reached this option."""
    wanted = ""
    for word, after in zip(typed, [*typed[1:], ""], strict=True):
        if word in ("-o", "--output"):
            wanted = after
        elif word.startswith("--output="):
            wanted = word.removeprefix("--output=")
        elif word.startswith("-o"):
            wanted = word[2:]
    return wanted
