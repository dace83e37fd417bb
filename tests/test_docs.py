"""The documents: the map's targets exist and nothing of the paper is missing; no stale figure."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from red_core.readme.documents import DOCUMENTS, blocks, write
from red_core.readme.render import between, insert

ROOT = Path(__file__).resolve().parents[1]
MAP = (ROOT / "docs/map.md").read_text(encoding="utf-8")
TARGETS = sorted(set(re.findall(r"`([\w/]+\.py)::([\w.]+)`", MAP)))
# What the paper numbers.
ITEMS = {
    *(f"eq. {number}" for number in range(1, 89)),
    "Algorithm 1",
    *(f"Assumption {number}" for number in (1, 2, 5, 7, 13)),
    *(f"Theorem {number}" for number in (3, 6, 8, 11)),
    *(f"Lemma {number}" for number in (9, 10, 14)),
    "Corollary 4",
    "Definition 12",
    *(f"Example {number}" for number in (15, 16, 17)),
    *(f"Figure {number}" for number in range(1, 5)),
    *(f"Table {number}" for number in range(1, 7)),
}
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@cache
def defined(file: str) -> set[str]:
    """The names at a module's top level, and the methods of its classes as Class.method."""
    names: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            if isinstance(node, ast.ClassDef):
                methods = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
                names |= {f"{node.name}.{method.name}" for method in methods}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize(("file", "name"), TARGETS)
def test_every_target_of_the_map_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert name in defined(file)


def test_the_map_has_a_row_for_everything_that_the_paper_numbers() -> None:
    numbered = MAP.partition("## Numbered items")[2]
    rows = re.findall(r"^\| ([^|]+?) \|", numbered, re.M)[1:]  # below the heading
    assert sorted(rows) == sorted(ITEMS)


def test_every_row_of_the_map_ends_with_one_target() -> None:
    rows = [line for line in MAP.splitlines() if line.startswith("| ")]
    bodies = [row for row in rows if not row.startswith(("| term |", "| item |"))]
    assert len(bodies) > len(ITEMS)
    for row in bodies:
        assert re.search(r"\| `[\w/]+\.py::[\w.]+` \|$", row), row


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) < 8000


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_documents_figures_are_those_of_the_measured_files(name: str) -> None:
    text, made = (ROOT / name).read_text(encoding="utf-8"), blocks()
    for block in DOCUMENTS[name]:
        assert between(text, block) == made[block], "python -m red_core results --render"


def test_one_command_writes_every_block(tmp_path: Path) -> None:
    for name in DOCUMENTS:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = (ROOT / name).read_text(encoding="utf-8")
        for block in DOCUMENTS[name]:
            text = insert(text, "old", block)
        path.write_text(text, encoding="utf-8")
    assert [path.relative_to(tmp_path).as_posix() for path in write(tmp_path)] == list(DOCUMENTS)
    for name in DOCUMENTS:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
