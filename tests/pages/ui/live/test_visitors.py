"""What is kept for a tab, until when, and who may get it."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from pages.ui.live.stream import STREAMS
from pages.ui.live.visitors import Visitors, size_of
from pages.ui.live.watched import CLOSED, DROPPED, sweep_for_ever


@dataclass
class Work:
    """Stands for a worker with one array of so many bytes."""

    nbytes: int

    def view(self) -> dict[str, Any]:
        return {"array": np.zeros(self.nbytes, np.uint8)}


class Page:
    """Stands for a page's registry."""

    def __init__(self) -> None:
        self.work: list[Work] = []
        self.cleared = False

    def workers(self) -> list[Work]:
        return self.work

    def take_over(self, before: Page) -> None:
        if before.work:
            self.work, before.work = before.work, []

    def clear(self) -> None:
        self.cleared = True


class Other(Page):
    """Another page's."""


class Connections:
    """The sessions whose browser is there."""

    def __init__(self) -> None:
        self.open: set[str] = set()

    def __call__(self, session: str) -> bool:
        return session in self.open


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def visitors(connections, clock, monkeypatch) -> Visitors:
    monkeypatch.setattr("pages.ui.live.visitors.sweep_for_ever", lambda *_: None)
    return Visitors(connections, clock)


def kept(visitors: Visitors, session: str, page: Page) -> bool:
    """Whether the session has this registry still."""
    visitors.sweep()
    return visitors.of(session).registry(type(page)) is page


def test_a_session_has_one_registry_of_a_page_and_its_own(visitors) -> None:
    one = visitors.of("one").registry(Page)
    assert visitors.of("one").registry(Page) is one
    assert visitors.of("other").registry(Page) is not one
    assert type(visitors.of("one").registry(Other)) is Other
    stream = visitors.of("one").stream("part")
    assert visitors.of("one").stream("part") is stream
    assert stream.owner is visitors.of("one")


def test_a_drop_ends_nothing_for_ten_minutes(visitors, connections, clock) -> None:
    connections.open.add("one")
    page = visitors.of("one").registry(Page)
    for clock.now in (10_000.0, 20_000.0):
        assert kept(visitors, "one", page), "its browser is there"
    connections.open.clear()
    clock.now += DROPPED - 1
    assert kept(visitors, "one", page)
    connections.open.add("one")  # it comes back
    assert kept(visitors, "one", page)
    connections.open.clear()
    clock.now += DROPPED - 1
    assert kept(visitors, "one", page)
    clock.now += 2
    assert not kept(visitors, "one", page)
    assert page.cleared


def test_a_closed_tab_is_given_a_minute(visitors, connections, clock) -> None:
    connections.open.add("one")
    visitor = visitors.of("one")
    page = visitor.registry(Page)
    visitor.connected()
    visitor.disconnected(closed=True)
    assert kept(visitors, "one", page), "Streamlit sees its own socket close a little later"
    connections.open.clear()
    clock.now = CLOSED - 1
    assert kept(visitors, "one", page)
    clock.now = CLOSED + 1
    assert not kept(visitors, "one", page)


def test_what_no_browser_watches_is_bounded_in_bytes(visitors, connections, monkeypatch) -> None:
    monkeypatch.setattr("pages.ui.live.watched.MOST_BYTES", 2500)
    pages = {name: visitors.of(name).registry(Page) for name in ("a", "b", "c", "d")}
    for page in pages.values():
        page.work = [Work(600), Work(400)]
    connections.open.add("a")
    visitors.sweep()
    assert [page.cleared for page in pages.values()] == [False, True, False, False]


def test_a_later_session_of_the_tab_gets_the_work_of_the_pages_that_it_shows(
    visitors, connections
) -> None:
    before, after = visitors.of("before"), visitors.of("after")
    before.registry(Page).work, before.registry(Other).work = [Work(1)], [Work(2)]
    page, stream = after.registry(Page), after.stream("part")
    connections.open.add("before")
    assert not after.take_over(before), "a tab is there: this one is a copy of it"
    assert not after.take_over(after)
    assert page.work == []
    connections.open.clear()
    assert after.take_over(before)
    assert page.work == [Work(1)]
    assert stream._stale
    assert before.registry(Other).work == [Work(2)], "of a page that is not shown"
    after.registry(Other)
    assert after.take_over(before)
    assert after.registry(Other).work == [Work(2)]
    assert page.work == [Work(1)]


def test_what_is_given_up_holds_nothing_more(visitors, clock) -> None:
    visitor = visitors.of("one")
    page, key = visitor.registry(Page), visitor.stream("part").key
    assert key in STREAMS
    clock.now = DROPPED + 1
    visitors.sweep()
    assert page.cleared
    assert visitors.of("one") is not visitor
    gc.collect()
    assert key not in STREAMS


def test_the_size_counts_every_storage_once() -> None:
    @dataclass
    class View:
        one: torch.Tensor
        rest: list[Any]
        name: str = "a view"

    tensor = torch.zeros(10, dtype=torch.float32)
    view = View(tensor, [tensor[2:], {"k": (np.zeros(3), tensor.clone())}, None])
    assert size_of(view) == 40 + 24 + 40


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_sweep_that_fails_ends_no_later_one(monkeypatch, caplog) -> None:
    monkeypatch.setattr("pages.ui.live.watched._SWEEP", 0.001)
    called = []

    def sweep() -> None:
        called.append(1)
        if len(called) > 2:
            raise SystemExit  # ends the thread: the test's own way out
        raise ValueError("no such view")

    sweep_for_ever("test-sweep", sweep).join(10)
    assert len(called) == 3
    assert len(caplog.records) == 2
