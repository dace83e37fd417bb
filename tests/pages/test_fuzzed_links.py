"""Pages opened at damaged links, from a fixed seed: drawn whole, and what is wrong is said.

RED_FUZZ=full (`make fuzz`) opens 1,000 links; the unit tests a few of every page.
"""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

import pytest

from pages.ui.live.loaded_models import LoadedModels
from tests.pages.ui.tables.conftest import labels, measured, unmeasured  # noqa: F401 (fixtures)
from tests.pages.whole_app import PAGES, all_registries, end_workers, open_page, toy_models
from tests.test_fuzz import FULL, GROWTH, in_use, links

EACH = 168 if FULL else 2  # 1,008 links over the six pages


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, parts: LoadedModels, measured: Path):  # noqa: F811
    with toy_models(monkeypatch, parts):
        yield


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", PAGES)
def test_no_link_makes_a_dead_page(page: str) -> None:
    """Faults in a part of a page are raised here (tests/conftest.py), so none is overlooked."""
    before = None
    with all_registries() as made:
        for count, query in enumerate(itertools.islice(links(page), EACH)):
            app = open_page(page, {**query, "steps": "3", "solver.steps": "3"})
            assert not app.exception, (query, [fault.value for fault in app.exception])
            assert app.get("markdown") or app.get("header") or app.get("caption"), query
            end_workers(made)
            del app
            if count == EACH // 3:  # every part of the page has been drawn by now
                gc.collect()
                before = in_use()
    assert before is not None
    if FULL:
        gc.collect()
        assert in_use() < GROWTH * before
