"""Design rules that can be checked from the source files."""

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


def test_only_process_imports_sh() -> None:
    assert imports_of("sh") == {"hzlink/programs/process.py"}


def test_only_render_and_the_console_import_rich() -> None:
    """console.py makes the Console that render/ draws on."""
    outside = {name for name in imports_of("rich") if not name.startswith("hzlink/render/")}
    assert outside <= {"hzlink/cli/console.py"}


def test_only_member_client_imports_hazelcast() -> None:
    """It imports the client inside functions, because the client is an optional dependency."""
    assert imports_of("hazelcast") == {"hzlink/verify/member_client.py"}
    source = Source(ROOT / "hzlink" / "verify" / "member_client.py")
    assert not any(name.startswith("hazelcast") for name in source.imports(at_import=True))


def test_only_cli_imports_typer() -> None:
    files = ("app", "command_group", "local_commands", "options")
    assert imports_of("typer") == {f"hzlink/cli/{name}.py" for name in files}


@pytest.mark.parametrize("module", ["subprocess", "pty", "multiprocessing", "popen2", "commands"])
def test_other_modules_that_run_programs_are_not_imported(module: str) -> None:
    assert imports_of(module) == set()


@each
def test_no_call_uses_a_shell(source: Source) -> None:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("os.system", "os.popen", "eval", "exec"), f"{source.name}:{node.lineno}"
            assert not called.startswith(("os.exec", "os.spawn", "os.posix_spawn")), f"{source.name}:{node.lineno}"
            assert not any(keyword.arg == "shell" for keyword in node.keywords), f"{source.name}:{node.lineno}"


# A package may import only those after it in this list.
ORDER = (
    *("cli", "commands", "render", "support", "verify", "report", "checks", "apply", "linking", "plan", "observe"),
    *("config", "programs", "model"),
)


def test_package_contains_only_the_listed_folders() -> None:
    assert {path.name for path in (ROOT / "hzlink").glob("*.py")} == {"__init__.py", "__main__.py"}
    folders = {path.parent.name for path in (ROOT / "hzlink").glob("*/__init__.py")}
    assert folders == set(ORDER)


@each
def test_imports_follow_the_order_of_packages(source: Source) -> None:
    """Includes imports inside functions and for type checking."""
    parts = source.name.split("/")
    if len(parts) == 2:
        return
    own = ORDER.index(parts[1])
    imported = {name.split(".")[1] for name in source.imports() if name.startswith("hzlink.")}
    assert [name for name in imported & set(ORDER) if ORDER.index(name) < own] == []


# Whole folders, and single files of folders that are not pure.
PURE = [
    *(f"{folder}/*" for folder in ("model", "report")),
    *(
        f"plan/{name}"
        for name in ("planner", "drift", "ownership", "teardown", "leftovers", "modes", "existing_members")
    ),
    *(f"observe/{name}" for name in ("links", "mancenter", "existing_members")),
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
def test_pure_module_runs_and_opens_nothing(module: str) -> None:
    source = Source(ROOT / "hzlink" / f"{module}.py")
    impure = {
        *("hzlink.programs.process", "hzlink.programs.skupper", "hzlink.linking.token_flow"),
        *("asyncio", "os", "pathlib", "sh", "yaml", "time"),
    }
    assert not source.imports(at_import=False) & impure
    calls = {ast.unparse(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input"}


@each
def test_only_the_console_prints(source: Source) -> None:
    prints = any(isinstance(node, ast.Call) and ast.unparse(node.func) == "print" for node in ast.walk(source.tree))
    assert not prints or source.name in ("hzlink/cli/console.py", "hzlink/cli/app.py")


@each
def test_public_names_have_docstrings(source: Source) -> None:
    assert ast.get_docstring(source.tree), f"{source.name}: the module"
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    for body in [source.tree.body, *(node.body for node in classes if not node.name.startswith("_"))]:
        for child in body:
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                undocumented = not child.name.startswith("_") and not ast.get_docstring(child)
                assert not undocumented, f"{source.name}:{child.lineno}: {child.name}"


@each
def test_files_stay_small(source: Source) -> None:
    assert len(source.text.splitlines()) <= 400


@each
def test_noqa_and_type_ignore_name_their_rule(source: Source) -> None:
    for number, line in enumerate(source.text.splitlines(), 1):
        for mark in ("# noqa", "# type: ignore"):
            _, found, after = line.partition(mark)
            assert not found or after.startswith((":", "[")), f"{source.name}:{number}"


HEAVY = (
    *("rich", "yaml", "sh", "asyncio", "ssl", "concurrent.futures"),
    *("hzlink.programs.kubectl", "hzlink.report.report"),
)


def test_command_line_does_not_import_heavy_modules() -> None:
    code = f"import sys, hzlink.cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "module", ["hzlink.config.resolve", "hzlink.plan.planner", "hzlink.report.report", "hzlink.config.kubeconfig"]
)
def test_configuration_modules_do_not_import_rich_sh_or_typer(module: str) -> None:
    code = f"import sys, {module}; print([name for name in ('rich', 'sh', 'typer') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
