"""The whole app in AppTest, on toy parts and toy tables: for tests of every page alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.compare import compare_registry
from pages.ui.error_bound import error_bound_registry
from pages.ui.landscape import landscape_registry
from pages.ui.live.live_run import LIVE_RUNS
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.undo import undo_registry as session
from red_core.data.datasets import CLASSES
from tests.pages.conftest import end_all, remembered

APP = str(Path(__file__).resolve().parents[2] / "pages/main.py")
PAGES = ("undo", "learn", "compare", "tables", "landscape", "error_bound")


def open_page(page: str, query: Mapping[str, str]) -> AppTest:
    """A page of PAGES at a query, drawn once."""
    app = AppTest.from_file(APP, default_timeout=120)
    if page != "undo":
        app.switch_page(f"{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


@contextmanager
def all_registries() -> Iterator[list[list[Any]]]:
    """Every registry of workers that a page makes in the body, by kind."""
    with (
        remembered(compare_registry.CompareRegistry) as first,
        remembered(landscape_registry.LandscapeRegistry) as second,
        remembered(error_bound_registry.ErrorBoundRegistry) as third,
    ):
        yield [first, second, third]


def end_workers(registries: list[list[Any]]) -> None:
    """End what the pages have begun."""
    for run in list(LIVE_RUNS._runs.values()):
        LIVE_RUNS.remove(run)
    end_all([registry for kind in registries for registry in kind])


@contextmanager
def toy_models(monkeypatch: pytest.MonkeyPatch, parts: LoadedModels) -> Iterator[None]:
    """Toy parts on every page, whatever data set is asked for."""
    session.load_models.clear()

    def load_bundle(dataset: str, *_: object) -> Any:
        return replace(parts.bundle, dataset=dataset, class_names=CLASSES[dataset])

    monkeypatch.setattr(session, "load_bundle", load_bundle)
    yield
    session.load_models.clear()
