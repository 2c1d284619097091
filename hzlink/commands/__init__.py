"""One file per command: plain arguments in, a Result out. No typer, rich, print or sh here."""
