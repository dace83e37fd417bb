"""Every part of every page, broken on purpose: one sentence in its place, and the rest works."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.live.loaded_models import LoadedModels
from pages.ui.look import section as sections
from tests.pages.conftest import QUICK
from tests.pages.ui.tables.conftest import labels, measured, unmeasured  # noqa: F401 (fixtures)
from tests.pages.whole_app import all_registries, end_workers, open_page, toy_models

ROOT = Path(__file__).resolve().parents[2]
QUICK_URL = {f"solver.{name}": str(value).lower() for name, value in QUICK}

# Page -> a query -> the parts that it has then, each with a function that it cannot do without.
PARTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "undo": (
        {"attack_steps": "3", **QUICK_URL},
        {
            "The choice of image, attack and solver": "pages.ui.undo.undo_controls.controls",
            "The run of these settings": "pages.ui.undo.undo_registry.RunRegistry.prepare",
            "The stage": "pages.ui.stage.stage",
            "The explanation": "pages.ui.undo.help_texts.explained",
            "The symbols": "pages.ui.look.symbols.introduced",
            "The link and the command": "pages.ui.compare.link.compare_link",
        },
    ),
    "pair": (
        {"attack_steps": "3", **QUICK_URL, "index": "4", "other.seed": "6"},
        {
            "The choice of the other settings": "pages.ui.pair.pair_controls.controls",
            "The two runs": "pages.ui.pair.component.pair",
            "The symbols": "pages.ui.look.symbols.introduced",
            "The link": "streamlit.code",
        },
    ),
    "learn": (
        {},
        {
            "The lessons": "pages.ui.learn.component.lessons",
            "The paper's experiments": "pages.ui.learn.sections.experiments",
            "The playlist": "pages.ui.learn.sections.playlist_maker",
        },
    ),
    "compare": (
        {"attack_steps": "2", "methods": "cnn,bsd-gan-best"},
        {
            "The choice of image and attack": "pages.ui.compare.compare_controls.controls",
            "The image and the methods": "pages.ui.compare.page.page",
            "What was done to the image": "pages.ui.compare.page._said",
            "The pictures": "pages.ui.compare.page._pictures",
            "The choice of methods": "pages.ui.compare.page.choice",
            "The cards of the methods": (
                "pages.ui.compare.compare_registry.CompareRegistry.comparison_snapshot"
            ),
            "The answers of the methods": "pages.ui.compare.page.methods",
            "The strip of strengths": (
                "pages.ui.compare.compare_registry.CompareRegistry.sweep_snapshot"
            ),
            "The answers by strength": "pages.ui.compare.page.strengths",
            "The symbols": "pages.ui.look.symbols.introduced",
        },
    ),
    "tables": (
        {"cell": "class.3.3"},
        {
            "The choice of table": "pages.ui.tables.tables_controls.which_table",
            "The table": "pages.ui.tables.section_table.table",
            "The trade-off of the noise": "pages.ui.tables.section_tradeoff.tradeoff",
            "The confusion matrices": "pages.ui.tables.section_matrices.matrices",
            "The images of this cell": "pages.ui.tables.section_matrices.cell",
            "The dictionary's assumption": "pages.ui.tables.section_assumption.assumption",
            "The angles between blocks": "pages.ui.tables.section_angles.angles",
            "Where inversions begin and end": "pages.ui.tables.section_starts.starts",
            "The attacks nobody trained for": "pages.ui.tables.section_unknown.unknown",
            "The symbols": "pages.ui.look.symbols.introduced",
        },
    ),
    "landscape": (
        {"family": "example15", "m": "20"},
        {
            "The choice of network or image": "pages.ui.landscape.landscape_controls.controls",
            "The landscape": "pages.ui.landscape.synthetic.synthetic",
            "The presets": "pages.ui.landscape.synthetic._presets",
            "The charts": "pages.ui.landscape.synthetic._charts",
            "The paths": "pages.ui.landscape.synthetic._moving",
            "The PL condition": "pages.ui.landscape.synthetic._pl",
            "The symbols": "pages.ui.look.symbols.introduced",
        },
    ),
    "landscape of a run": (
        {"show": "run"},
        {
            "The landscape": "pages.ui.landscape.real.real",
            "The slice": "pages.ui.landscape.real._draw",
        },
    ),
    "error_bound": (
        {"m": "20", "d": "3", "examples": "4", "steps": "20"},
        {
            "The choice of problem": "pages.ui.error_bound.error_bound_controls.controls",
            "The presets": "pages.ui.error_bound.preset_gallery.gallery",
            "Act 1, the problem,": "pages.ui.error_bound.section_problem.problem",
            "Act 2, the descent,": "pages.ui.error_bound.section_descent.descent",
            "Act 3, the theorem,": "pages.ui.error_bound.section_theorem.theorem",
            "The trained generators": "pages.ui.error_bound.section_trained.stored",
            "The symbols": "pages.ui.look.symbols.introduced",
            "The link and the export": "pages.ui.error_bound.error_bound_export.export",
        },
    ),
    "error_bound of a study": (
        {"show": "figure1"},
        {"The study": "pages.ui.error_bound.section_study.study"},
    ),
}
# What is drawn inside another part is not there without it.
INSIDE = {
    "The image and the methods": set(PARTS["compare"][1])
    - {"The choice of image and attack", "The symbols"},
    "The cards of the methods": {"The answers of the methods"},
    "The strip of strengths": {"The answers by strength"},
    "The confusion matrices": {"The images of this cell"},
    "The landscape": {"The presets", "The charts", "The paths", "The slice", "The PL condition"},
}
CASES = [(page, part) for page, (_, parts) in PARTS.items() for part in parts]


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, parts: LoadedModels, measured: Path):  # noqa: F811
    """Toy parts and toy tables; faults in a part of a page are caught, as they are in the app."""
    monkeypatch.setattr(sections, "raise_again", False)
    with toy_models(monkeypatch, parts):
        yield


@pytest.fixture(autouse=True, scope="module")
def made():
    """Every registry that a page makes."""
    with all_registries() as found:
        yield found


@pytest.fixture(autouse=True)
def workers(made):
    """What a page has begun is ended afterwards."""
    yield
    end_workers(made)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts whose tracebacks went to the terminal."""
    found: list[str] = []
    monkeypatch.setattr(sections._log, "exception", lambda _, name: found.append(name))
    return found


class FaultError(Exception):
    """A fault that nobody foresaw."""


def place_of(target: str) -> tuple[Any, str]:
    """Where a dotted name stands: the module or class, and the name in it."""
    holder, _, name = target.rpartition(".")
    try:
        return importlib.import_module(holder), name
    except ModuleNotFoundError:
        module, _, kind = holder.rpartition(".")
        return getattr(importlib.import_module(module), kind), name


def watch(monkeypatch: pytest.MonkeyPatch, page: str, broken: str | None) -> set[str]:
    """Break one part of a page; the parts that are drawn, filled while the page is."""
    done: set[str] = set()

    def watched(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **words: Any) -> Any:
            if part == broken:
                raise FaultError(f"a fault in <b>{part}</b>")
            made = work(*args, **words)
            done.add(part)
            return made

        return call

    for part, target in PARTS[page][1].items():
        holder, name = place_of(target)
        monkeypatch.setattr(holder, name, watched(part, getattr(holder, name)))
    return done


def opened(page: str) -> AppTest:
    return open_page(page.split()[0], PARTS[page][0])


@pytest.mark.parametrize(("page", "part"), CASES, ids=[f"{page}-{part}" for page, part in CASES])
def test_a_broken_part_leaves_the_rest_of_the_page(
    page: str, part: str, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    with monkeypatch.context() as patch:
        done = watch(patch, page, part)
        app = opened(page)
        assert not app.exception
        assert [error.value for error in app.error] == [sections.FAILED.format(name=part)]
        assert set(logged) == {part}
        assert done == set(PARTS[page][1]) - {part} - INSIDE.get(part, set())
        app.run()
        assert logged == [part], "the same fault is written once"
    (way_out,) = [button for button in app.button if button.label == sections.BEGIN_ANEW]
    way_out.click().run()  # the fault has gone: the page begins anew
    assert not app.exception
    assert not app.error
    assert [button for button in app.button if button.label == sections.BEGIN_ANEW] == []


@pytest.mark.parametrize("page", PARTS)
def test_an_unbroken_page_draws_all_its_parts(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(monkeypatch, page, None)
    app = opened(page)
    assert not app.exception
    assert not app.error
    assert done == set(PARTS[page][1])


BEGINNINGS = {
    "undo": "pages.ui.link.page_state.read_url",
    "learn": "pages.ui.link.page_request.PageRequest.read_url",
    "compare": "pages.ui.compare.compare_page_state.read_url",
    "tables": "pages.ui.link.page_request.PageRequest.read_url",
    "landscape": "pages.ui.landscape.landscape_page_state.read_url",
    "error_bound": "pages.ui.error_bound.error_bound_page_state.read_url",
}


@pytest.mark.parametrize("page", BEGINNINGS)
def test_a_page_that_cannot_begin_says_so(
    page: str, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    def fail(*_: object) -> None:
        raise FaultError

    with monkeypatch.context() as patch:
        patch.setattr(BEGINNINGS[page], fail)
        app = opened(page)
    assert not app.exception
    assert [error.value for error in app.error] == [sections.FAILED.format(name="This page")]
    assert logged == ["This page"]
    app.button("begin-anew-this-page").click().run()
    assert not app.exception
    assert not app.error


def test_no_part_is_missing_here() -> None:
    """Every section(...) of the pages is broken above, and no other."""
    named = {"This page"}
    for parts in PARTS.values():
        named |= set(parts[1])
    found = set[str]()
    for path in (ROOT / "pages").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                words = [word.value for word in node.keywords if word.arg == "title"]
                if ast.unparse(node.func) == "section":
                    words = node.args[:1]
                elif ast.unparse(node.func) != "live_part":
                    words = []
                found |= {word.value for word in words if isinstance(word, ast.Constant)}
    assert found == named
