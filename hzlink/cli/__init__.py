"""The command line: typer, options, the console and the one error boundary."""
