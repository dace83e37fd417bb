"""No paragraph of a page has more than 60 words: read from the sources, not from a browser."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "pages"
MOST = 60
_CODE = ("<style>", "export default", "{")  # texts that no one reads


def texts_of(source: str) -> Iterator[str]:
    """Every string of a module but its docstrings and its code in other languages."""
    tree = ast.parse(source)
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, holders) and node.body]
    docstrings = {id(node.value) for node in first if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            if id(node) not in docstrings and not text.startswith(_CODE):
                yield text


def paragraphs(text: str) -> list[str]:
    """The paragraphs of Markdown; every point of a list is one."""
    return re.split(r"\n\s*\n|\n *[-*] ", text)


def too_long(source: str) -> list[str]:
    return [
        part for text in texts_of(source) for part in paragraphs(text) if len(part.split()) > MOST
    ]


@pytest.mark.parametrize(
    "path", sorted(PAGES.rglob("*.py")), ids=lambda path: path.relative_to(PAGES).as_posix()
)
def test_no_paragraph_is_long(path: Path) -> None:
    assert too_long(path.read_text(encoding="utf-8")) == []


def test_a_long_paragraph_is_found() -> None:
    long = "word " * (MOST + 1)
    assert len(too_long(f'"""{long}"""\nA = """{long}"""\nB = "<style>{long}"')) == 1
    assert too_long(f'A = """{"word " * 40}\n\n{"word " * 40}\n- {"word " * 40}"""') == []
