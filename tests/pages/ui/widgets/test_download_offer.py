"""The offer to download CIFAR-10: idle, running, cancelled, failed, done."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.undo import image_controls
from pages.ui.widgets import download_offer as panel
from red_core.data.download import DownloadError
from tests.pages.conftest import slots, written


class Server:
    """Stands for `download`: goes on, fails or ends when a test says so."""

    def __init__(self) -> None:
        self.there = False
        self.calls = 0
        self.told: list[tuple[int, int | None]] = [(50_000_000, 170_000_000)]
        self.error: Exception | None = None
        self.go = threading.Event()
        self.stopped = threading.Event()

    def download(
        self, dataset: str, progress: Callable[[int, int | None], None], stop: Callable[[], bool]
    ) -> bool:
        assert dataset == "cifar10"
        self.calls += 1
        for told in self.told:
            progress(*told)
        while not self.go.wait(0.01):
            if stop():
                self.stopped.set()
                return False
        if self.error is not None:
            raise self.error
        self.there = True
        return True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    made = Server()
    monkeypatch.setenv("RED_DATA", str(tmp_path))
    monkeypatch.setattr(panel, "download", made.download)
    monkeypatch.setattr(panel, "is_there", lambda _: made.there)
    panel.job.clear()
    yield made
    panel.job("cifar10").cancel()
    made.go.set()
    for thread in threading.enumerate():
        if thread.name == panel.THREAD_NAME:
            thread.join(10)
    panel.job.clear()


def page() -> None:
    import streamlit as st

    from pages.ui.widgets.download_offer import download_panel

    def on_done() -> None:
        st.session_state["reloads"] = st.session_state.get("reloads", 0) + 1

    download_panel("cifar10", on_done)
    st.write("the gallery")


def open_app() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    check(app)
    return app


def check(app: AppTest) -> None:
    assert not app.exception
    assert app.markdown[-1].value == "the gallery", "the panel never stands in the way"


def settled(state: str) -> None:
    until = time.monotonic() + 10
    while panel.job("cifar10").snapshot().state != state:
        assert time.monotonic() < until
        time.sleep(0.01)


def told(done: int) -> None:
    until = time.monotonic() + 10
    while panel.job("cifar10").snapshot().done != done:
        assert time.monotonic() < until
        time.sleep(0.01)


def bar(app: AppTest) -> tuple[int, str]:
    (share,) = re.findall(r'value="([\d.]+)"', slots(app)["download-bar"]["html"])
    return round(100 * float(share)), written(app, "download-bar")


def test_it_is_offered_and_says_what_it_would_do(server: Server, tmp_path: Path) -> None:
    app = open_app()
    assert "drawn by our generator; they are no photographs" in app.caption[0].value
    assert app.button[0].label == "Download CIFAR-10 (170 MB)"
    for word in (str(tmp_path), "MD5 c58f30108f718f92721af3b95e74349a", "170 MB"):
        assert word in app.button[0].help
    app.run()
    assert server.calls == 0, "nothing is fetched that nobody asked for"


def test_while_it_runs_a_bar_shows_how_far_it_is(server: Server) -> None:
    app = open_app()
    app.button("download.start").click().run()
    told(50_000_000)
    app.run()
    check(app)
    assert bar(app) == (29, "50 of 170 MB")
    assert [button.label for button in app.button] == ["Cancel"]
    other = open_app()
    assert bar(other) == (29, "50 of 170 MB"), "all sessions snapshot at the one download"
    assert server.calls == 1


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ((0, None), "Asking the server"),
        ((12_000_000, None), "12 MB"),
        ((170_000_000, 170_000_000), "Checking and unpacking"),
    ],
)
def test_the_bar_has_words_for_every_stage(
    server: Server, known: tuple[int, int | None], text: str
) -> None:
    server.told = [known]
    app = open_app()
    app.button("download.start").click().run()
    told(known[0])
    app.run()
    assert bar(app)[1] == text


def test_cancelling_offers_it_again(server: Server) -> None:
    app = open_app()
    app.button("download.start").click().run()
    app.button("download.cancel").click().run()
    check(app)
    assert app.button[0].label == "Download CIFAR-10 (170 MB)"
    assert server.stopped.wait(10)
    assert not app.error
    app.button("download.start").click().run()
    told(50_000_000)
    assert server.calls == 2


def test_a_failure_is_told_and_can_be_tried_again(server: Server) -> None:
    sentence = "CIFAR-10 could not be fetched: the connection was refused."
    server.error = DownloadError(sentence)
    server.go.set()
    app = open_app()
    app.button("download.start").click().run()
    settled("failed")
    app.run()
    check(app)
    assert app.error[0].value == sentence
    assert app.button[0].label == "Try again"
    server.error = None
    app.button("download.start").click().run()
    settled("done")
    app.run()
    assert not app.error
    assert not app.button


def test_an_unforeseen_error_is_one_sentence_too(server: Server) -> None:
    server.error = ZeroDivisionError("never")
    server.go.set()
    app = open_app()
    app.button("download.start").click().run()
    settled("failed")
    app.run()
    assert app.error[0].value.startswith("The download failed;")


def test_at_the_end_the_parts_are_loaded_anew_and_a_line_says_so(
    server: Server, tmp_path: Path
) -> None:
    app = open_app()
    app.button("download.start").click().run()
    assert "download-bar" in slots(app)
    server.go.set()
    settled("done")
    work = panel.job("cifar10")
    app.session_state[panel._FRESH] = True  # as the fragment leaves it, which runs by itself
    app.run()
    check(app)
    assert app.session_state["reloads"] == 1
    assert str(tmp_path) in app.success[0].value
    assert not app.button
    assert not app.caption
    app.run()
    assert app.session_state["reloads"] == 1
    assert not app.success
    assert not work.newly_there()


def test_the_bar_ends_the_watch_by_drawing_the_page_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app()
    app.button("download.start").click().run()
    # Between the panel's snapshot and the bar's the download ends.
    looks = iter([panel.DownloadSnapshot("running"), panel.DownloadSnapshot("done")])
    monkeypatch.setattr(
        panel.Job, "snapshot", lambda _: next(looks, panel.DownloadSnapshot("done"))
    )
    app.run()
    check(app)
    assert app.session_state[panel._FRESH] is True
    assert "download-bar" not in slots(app)


def test_what_came_by_another_way_is_taken_too(server: Server) -> None:
    app = open_app()
    server.there = True  # by the command line
    app.run()
    assert app.session_state["reloads"] == 1
    assert not app.button


def test_where_it_is_there_nothing_is_drawn(server: Server) -> None:
    server.there = True
    app = open_app()
    assert len(app.main.children) == 1
    assert "reloads" not in app.session_state


def test_a_download_that_was_cancelled_says_nothing_any_more(server: Server) -> None:
    work = panel.job("cifar10")
    work.start()
    told(50_000_000)
    work.cancel()
    server.go.set()
    time.sleep(0.1)
    assert work.snapshot() == panel.DownloadSnapshot()


def test_other_galleries_say_who_drew_their_pictures_until_it_is_there(server: Server) -> None:
    def page(dataset: str) -> None:
        from pages.ui.widgets.download_offer import drawn_note

        drawn_note(dataset)

    def said(dataset: str) -> list[str]:
        app = AppTest.from_function(page, args=(dataset,)).run()
        assert not app.exception
        return [caption.value for caption in app.caption]

    assert said("mnist") == []
    (told,) = said("cifar10")
    assert "drawn by our generator" in told
    assert "The main page offers CIFAR-10's own." in told
    server.there = True
    assert said("cifar10") == []


def test_the_sidebar_offers_it_for_cifar10_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []
    monkeypatch.setattr(
        image_controls, "download_panel", lambda dataset, _: offered.append(dataset)
    )
    for dataset in ("mnist", "fashion", "cifar10"):
        image_controls._offer(dataset)
    assert offered == ["cifar10"]


def test_reloading_forgets_the_parts_and_what_the_command_line_would_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cleared: list[str] = []
    for name in ("load_models", "takes_official"):
        monkeypatch.setattr(
            getattr(image_controls.session, name), "clear", lambda name=name: cleared.append(name)
        )
    image_controls._reload()
    assert cleared == ["load_models", "takes_official"]
