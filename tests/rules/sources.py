"""hzlink's source files, as text and as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the checkout."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """Its text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.name)

    def imports(self, *, at_import: bool = False) -> set[str]:
        """The modules that it imports; with `at_import` only those imported at module level."""
        return self._imports_at_import if at_import else self._imports

    @cached_property
    def _imports(self) -> set[str]:
        return {name for node in ast.walk(self.tree) for name in _names(node)}

    @cached_property
    def _imports_at_import(self) -> set[str]:
        return {name for node in _walk_module_level(self.tree) for name in _names(node)}


def _walk_module_level(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        typing = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        if not (inside or typing):
            yield from _walk_module_level(child)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return []


def product() -> list[Source]:
    """The files of the package hzlink."""
    found = [Source(path) for path in sorted((ROOT / "hzlink").rglob("*.py"))]
    assert len(found) > 20, "the package has moved"
    return found


def tracked() -> list[Path]:
    """All files tracked by git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]
