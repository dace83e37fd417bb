"""Every symbol that a page's texts show is introduced on that page: read from the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.ui.look.symbols import PAGE_SYMBOLS, SYMBOLS, introduced, symbols_in
from pages.ui.look.theme import ATTACK_LABELS
from tests.pages.test_paragraphs import PAGES, texts_of

STAGE = PAGES / "ui/stage/browser"
_CHART = re.compile(r"from (pages\.ui\.charts[\w.]*) import")
_SCRIPT_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_CODE = re.compile(r"[{};]\s*$|\bpx\b|=.*&|^[MHVLAZ\d .,-]+$|must be")  # styles, links, drawings
_PLACE = re.compile(r"\$?\{[^{}]*\}")
# Letters that are no symbols: words, keys in brackets, names of sections and of classifiers.
_WORDS = "AIaBMTSXZKgstijlbuy"


def files_of(page: str) -> list[Path]:
    """The Python files whose texts a page shows: its own, and those of the charts it draws."""
    todo = [PAGES / f"{page}.py", *(PAGES / "ui" / page).rglob("*.py")]
    found: list[Path] = []
    while todo:
        path = todo.pop()
        found.append(path)
        for name in _CHART.findall(path.read_text(encoding="utf-8")):
            module = PAGES.parent.joinpath(*name.split("."))
            chart = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
            todo += [chart] if chart not in found and chart not in todo else []
    return found


def shown(page: str) -> Iterator[str]:
    """What a page may show: its strings of more than one word, without what is filled in."""
    texts = [text for path in files_of(page) for text in texts_of(path.read_text("utf-8"))]
    if page in ("undo", "pair"):
        for path in sorted(STAGE.glob("*.js")):
            texts += ["".join(found) for found in _SCRIPT_TEXT.findall(path.read_text("utf-8"))]
    for text in texts:
        plain = _PLACE.sub(" ", text)
        if re.search(r"\s", plain.strip()) and not _CODE.search(plain):
            yield plain
    if any("ATTACK_LABELS" in path.read_text("utf-8") for path in files_of(page)):
        yield from ATTACK_LABELS.values()


@pytest.mark.parametrize("page", PAGE_SYMBOLS)
def test_every_symbol_of_a_page_is_introduced_on_it(page: str) -> None:
    text = "\n".join(shown(page))
    assert symbols_in(text) == [name for name, _ in introduced(page)], "none missing, none idle"
    unknown = {
        found
        for found in re.findall(r"(?<![\w'.∇])[A-Za-zα-ωΑ-Ω](?![\w'.])", text)
        if found not in _WORDS and not symbols_in(found) and found not in "xDLP"
    }
    assert unknown == set(), "a letter that nobody introduces"


@pytest.mark.parametrize("page", PAGE_SYMBOLS)
def test_the_page_draws_what_introduces_them(page: str) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((PAGES / f"{page}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    drawn = [ast.literal_eval(call.args[0]) for call in calls if call.func.id == "legend"]
    assert drawn == [page]


def test_no_symbol_is_explained_by_symbols() -> None:
    for page in PAGE_SYMBOLS:
        assert [name for name in PAGE_SYMBOLS[page].split() if name not in SYMBOLS] == []
        for name, words in introduced(page):
            assert symbols_in(words) == [], f"{name} is explained by symbols"
            assert len(words.split()) <= 20


def test_the_symbols_are_found_where_they_are_written() -> None:
    assert symbols_in("x′ = G(z) + Dₐcₐ + rest") == ["x′", "G", "z", "Dₐ", "cₐ"]
    assert symbols_in("x' = G(z\\*) + D_a c_a, **z** alone") == ["x′", "G", "z", "z*", "Dₐ", "cₐ"]
    assert symbols_in("exact axes of Gz, maximal zeal, 25 x 25, an m-fold, press (L)") == ["m"]
    assert symbols_in("λ_max") == symbols_in("λₘₐₓ") == ["λₘₐₓ"]
    assert symbols_in("‖∇f‖ ≥ μ") == ["‖·‖", "∇f", "μ"]
    assert symbols_in("in W+, L − L*") == ["W+", "L", "L*"]
    for name in SYMBOLS:
        written = {"D": "D(picture)", "P": "Pδ"}.get(name, name)
        assert name in symbols_in(f"so {written}, here")
