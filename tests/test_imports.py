"""The house rules that no one notices being broken: who imports whom, and one SELECT a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support import ROOT

PACKAGE = ROOT / "llm_audit"
LAYERS = (
    {"cli", "__main__", "api"},
    {"explain", "ingest", "migrate", "pipeline", "reconcile", "report", "review"},
    {"formats", "scoring", "prices", "sources"},
    {"policy", "workspace"},
    {"schema"},
    {"errors"},
    {"text", "__init__"},
)
"""From the top down; a module imports from lower layers only, never from a sibling."""
DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}
FRONT_DOORS = {("__main__", "cli"), ("__init__", "api")}
"""Who passes a caller on: `python -m llm_audit`, and `llm_audit.open` when it is called."""
DOORS = {
    "click": {"cli"},
    "plotly": {"report"},
    "jinja2": {"report"},
    "pandas": {"report", "api"},
    "openai": {"migrate"},
    "anthropic": {"migrate"},
}
"""Which module alone may import a third-party package."""

MODULES = sorted(PACKAGE.rglob("*.py"))
SQL = sorted(
    path
    for path in PACKAGE.rglob("*.sql")
    if not path.name.endswith("_macros.sql") and path.name != "ledger.sql"  # SQLite's
)


def owner(path: Path) -> str:
    """The top-level module or package a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports, wherever in the file, type checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def own_imports(path: Path) -> set[str]:
    """The modules of this package that a file imports."""
    names = {name.split(".")[1] for name in imports(path) if name.startswith("llm_audit.")}
    return names & set(DEPTH)


def test_every_module_has_its_layer() -> None:
    assert {owner(path) for path in MODULES} == set(DEPTH)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    name = owner(path)
    for other in own_imports(path) - {name}:
        allowed = DEPTH[other] > DEPTH[name] or (name, other) in FRONT_DOORS
        assert allowed, f"{name} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_third_party_package_has_one_door(path: Path) -> None:
    for package in {name.split(".")[0] for name in imports(path)} & set(DOORS):
        assert owner(path) in DOORS[package], f"{owner(path)} imports {package}"


@pytest.mark.parametrize("path", SQL, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_sql_file_is_one_statement(path: Path) -> None:
    """Steps and formats are SELECTs, runnable alone; ingest also changes rows."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("-- "), "a header comment says what it is"
    [statement] = duckdb.extract_statements(text)
    is_select = statement.type == duckdb.StatementType.SELECT
    assert is_select or (owner(path) == "ingest" and path.stem.startswith("settle_"))


@pytest.mark.parametrize("package", ["openai", "anthropic"])
def test_each_sdk_has_one_module(package: str) -> None:
    users = {path for path in MODULES if package in {n.split(".")[0] for n in imports(path)}}
    assert users == {PACKAGE / "migrate" / f"{package}.py"}
