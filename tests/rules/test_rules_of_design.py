"""The rules of the design that a reader of the sources can check."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.rules.sources import ROOT, Source, product

SOURCES = product()
each = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)


def imports_of(module: str) -> set[str]:
    return {
        source.name
        for source in SOURCES
        if any(name == module or name.startswith(f"{module}.") for name in source.imports())
    }


def test_programs_are_run_in_one_place() -> None:
    assert imports_of("sh") == {"hzlink/programs/process.py"}


def test_text_is_drawn_in_one_place() -> None:
    """console.py makes the Console that render/ draws on."""
    outside = {name for name in imports_of("rich") if not name.startswith("hzlink/render/")}
    assert outside <= {"hzlink/cli/console.py"}


def test_members_are_called_in_one_place() -> None:
    """And never loaded by a command that does not need it: it is an extra."""
    assert imports_of("hazelcast") == {"hzlink/verify/member_client.py"}
    source = Source(ROOT / "hzlink" / "verify" / "member_client.py")
    assert not any(name.startswith("hazelcast") for name in source.imports(at_import=True))


def test_options_are_read_in_one_place() -> None:
    assert imports_of("typer") == {"hzlink/cli/app.py", "hzlink/cli/command_group.py", "hzlink/cli/options.py"}


@pytest.mark.parametrize("module", ["subprocess", "pty", "multiprocessing", "popen2", "commands"])
def test_there_is_no_other_way_to_a_program(module: str) -> None:
    assert imports_of(module) == set()


@each
def test_nothing_passes_through_a_shell(source: Source) -> None:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("os.system", "os.popen", "eval", "exec"), f"{source.name}:{node.lineno}"
            assert not called.startswith(("os.exec", "os.spawn", "os.posix_spawn")), f"{source.name}:{node.lineno}"
            assert not any(keyword.arg == "shell" for keyword in node.keywords), f"{source.name}:{node.lineno}"


# Above in this list means: may import what is below, never the other way round.
ORDER = (
    *("cli", "commands", "render", "support", "verify", "report", "checks", "apply", "linking", "plan", "observe"),
    *("config", "programs", "model"),
)


def test_only_the_package_and_its_start_lie_beside_the_folders() -> None:
    assert {path.name for path in (ROOT / "hzlink").glob("*.py")} == {"__init__.py", "__main__.py"}
    folders = {path.parent.name for path in (ROOT / "hzlink").glob("*/__init__.py")}
    assert folders == set(ORDER)


@each
def test_no_import_runs_back_up_the_order(source: Source) -> None:
    """Imports inside functions and for type checking count, too."""
    parts = source.name.split("/")
    if len(parts) == 2:
        return
    own = ORDER.index(parts[1])
    imported = {name.split(".")[1] for name in source.imports() if name.startswith("hzlink.")}
    assert [name for name in imported & set(ORDER) if ORDER.index(name) < own] == []


# Whole folders, and files of folders that also read or run something.
PURE = [
    *(f"{folder}/*" for folder in ("model", "report")),
    *(f"plan/{name}" for name in ("planner", "drift", "ownership", "teardown", "leftovers")),
    *(f"observe/{name}" for name in ("links", "mancenter")),
    *("config/naming", "programs/hints", "programs/refusals", "linking/failures", "apply/lease", "render/result"),
    *(f"checks/{name}" for name in ("records", "versions", "judge", "tools", "controller", "reach", "names", "access")),
    *("checks/rights", "render/svg", "render/mermaid", "render/bar_chart", "support/redaction"),
    *(f"verify/{name}" for name in ("proof", "probe_messages", "latency", "comparison", "probe_job")),
]
PURE_FILES = sorted(
    path.relative_to(ROOT / "hzlink").with_suffix("").as_posix()
    for pattern in PURE
    for path in (ROOT / "hzlink").glob(f"{pattern}.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("module", PURE_FILES)
def test_a_pure_module_neither_runs_nor_opens_anything(module: str) -> None:
    source = Source(ROOT / "hzlink" / f"{module}.py")
    far = {
        *("hzlink.programs.process", "hzlink.programs.skupper", "hzlink.linking.token_flow"),
        *("asyncio", "os", "pathlib", "sh", "yaml", "time"),
    }
    assert not source.imports(at_import=False) & far
    calls = {ast.unparse(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input"}


@each
def test_only_the_console_prints(source: Source) -> None:
    prints = any(isinstance(node, ast.Call) and ast.unparse(node.func) == "print" for node in ast.walk(source.tree))
    assert not prints or source.name in ("hzlink/cli/console.py", "hzlink/cli/app.py")


@each
def test_everything_public_says_what_it_is(source: Source) -> None:
    assert ast.get_docstring(source.tree), f"{source.name}: the module"
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    for body in [source.tree.body, *(node.body for node in classes if not node.name.startswith("_"))]:
        for child in body:
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                silent = not child.name.startswith("_") and not ast.get_docstring(child)
                assert not silent, f"{source.name}:{child.lineno}: {child.name}"


@each
def test_files_stay_small(source: Source) -> None:
    assert len(source.text.splitlines()) <= 400


@each
def test_what_is_silenced_is_named(source: Source) -> None:
    for number, line in enumerate(source.text.splitlines(), 1):
        for mark in ("# noqa", "# type: ignore"):
            _, found, after = line.partition(mark)
            assert not found or after.startswith((":", "[")), f"{source.name}:{number}"


HEAVY = (
    *("rich", "yaml", "sh", "asyncio", "ssl", "concurrent.futures"),
    *("hzlink.programs.kubectl", "hzlink.report.report"),
)


def test_the_command_line_is_loaded_without_what_it_does_not_need_yet() -> None:
    code = f"import sys, hzlink.cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "module", ["hzlink.config.resolve", "hzlink.plan.planner", "hzlink.report.report", "hzlink.config.kubeconfig"]
)
def test_reading_a_configuration_draws_nothing(module: str) -> None:
    code = f"import sys, {module}; print([name for name in ('rich', 'sh', 'typer') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
