"""The offer to download a data set that may not be bundled, and how far the download is.

One thread fetches for all sessions of the server. It draws nothing and calls no `st.*`; it records
how far it is, and the panels look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from pages.ui.look.literal import literal
from pages.ui.undo import help_texts as texts
from pages.ui.widgets.live_part import LivePart, live_part
from red_core.data.archive import DOWNLOADABLE, MEGABYTES, archive_of, is_damaged, is_there
from red_core.data.datasets import TITLES, data_root
from red_core.data.download import DownloadError, download
from red_core.data.own_datasets import base_of

THREAD_NAME = "red-download"
_FRESH = "download.fresh"  # in the session: its download is done, and nobody has said so yet

_log = logging.getLogger("red.download")


@dataclass(frozen=True)
class DownloadSnapshot:
    """How far a download is: bytes done and in all, None while that is not known."""

    state: Literal["idle", "running", "failed", "done"] = "idle"
    done: int = 0
    total: int | None = None
    error: str = ""


class Job:
    """The download of one data set, shared by all sessions."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._lock = threading.Lock()
        self._look = DownloadSnapshot()
        self._stop = threading.Event()  # of the latest thread
        self._in_use = is_there(dataset)

    def snapshot(self) -> DownloadSnapshot:
        """How far it is."""
        with self._lock:
            return self._look

    def start(self) -> None:
        """Begin, or begin again; nothing where it is under way."""
        with self._lock:
            if self._look.state == "running":
                return
            self._look, self._stop = DownloadSnapshot("running"), threading.Event()
            threading.Thread(
                target=self._work, args=(self._stop,), name=THREAD_NAME, daemon=True
            ).start()

    def cancel(self) -> None:
        """End at the next piece; what has arrived is kept."""
        with self._lock:
            if self._look.state == "running":
                self._stop.set()
                self._look = DownloadSnapshot()

    def newly_there(self) -> bool:
        """True once, to whoever asks first, after the data set has come into its place."""
        there = is_there(self._dataset)
        with self._lock:
            new = there and not self._in_use
            self._in_use = there
            return new

    def _work(self, stop: threading.Event) -> None:
        def progress(done: int, total: int | None) -> None:
            self._tell(stop, DownloadSnapshot("running", done, total))

        try:
            if download(self._dataset, progress, stop.is_set):
                self._tell(stop, replace(self.snapshot(), state="done"))
        except DownloadError as error:
            self._tell(stop, DownloadSnapshot("failed", error=str(error)))
        except Exception:
            _log.exception("a download failed")
            said = "The download failed; the terminal that runs the app shows why."
            self._tell(stop, DownloadSnapshot("failed", error=said))

    def _tell(self, stop: threading.Event, snapshot: DownloadSnapshot) -> None:
        """Record, unless this thread was cancelled: another may be at work already."""
        with self._lock:
            if not stop.is_set():
                self._look = snapshot


@st.cache_resource(show_spinner=False)
def job(dataset: str) -> Job:
    """The one download of a data set."""
    return Job(dataset)


def download_panel(dataset: str, on_done: Callable[[], None]) -> None:
    """Offer the download while the data set is not there; draw nothing once it is.

    on_done: called once on the server when it has come, in whichever session is drawn first; it
    forgets what was loaded without it. The page is drawn anew after that.
    """
    work = job(dataset)
    if work.newly_there():
        on_done()
        st.rerun()
    if is_there(dataset):
        if st.session_state.pop(_FRESH, False):
            st.success(texts.DOWNLOADED.format(title=TITLES[dataset], root=literal(data_root())))
        return
    title, megabytes = TITLES[dataset], MEGABYTES[dataset]
    st.caption(texts.MADE_BY_G.format(title=title))
    if is_damaged(dataset):
        st.warning(texts.DAMAGED.format(title=title, root=literal(data_root())))
    snapshot = work.snapshot()
    if snapshot.state == "running":
        _watch(work)
        st.button("Cancel", help=texts.CANCEL, key="download.cancel", on_click=work.cancel)
        return
    if snapshot.state == "failed":
        st.error(literal(snapshot.error))
    st.button(
        "Try again" if snapshot.state == "failed" else f"Download {title} ({megabytes} MB)",
        icon=":material/download:",
        help=texts.DOWNLOAD.format(
            title=title, megabytes=megabytes, root=literal(data_root()), md5=archive_of(dataset).md5
        ),
        key="download.start",
        on_click=work.start,
    )


def drawn_note(dataset: str) -> None:
    """Beside a gallery of another page: who drew it, while the data set is not there."""
    base = base_of(dataset)
    if base in DOWNLOADABLE and not is_there(base):
        st.caption(texts.ON_THE_MAIN_PAGE.format(title=TITLES[base]))


def _watch(work: Job) -> None:
    """The bar; the page is drawn anew once there is nothing more to watch."""
    live_part("download", work.snapshot, _bar, lambda snapshot: (snapshot.state == "running",))


def _bar(live: LivePart[DownloadSnapshot]) -> None:
    if live.seen.state != "running":
        if live.seen.state == "done":
            st.session_state[_FRESH] = True
        st.rerun()

    def bar(snapshot: DownloadSnapshot) -> str:
        share = min(snapshot.done / snapshot.total, 1.0) if snapshot.total else 0.0
        filled = f'<progress aria-label="Download" max="1" value="{share:.4f}"></progress>'
        return f"<p>{_words(snapshot)}</p>{filled}"

    live.html("download-bar", bar)


def _words(snapshot: DownloadSnapshot) -> str:
    """How far it is, for the bar."""
    if not snapshot.done:
        return "Asking the server"
    if snapshot.total is None:
        return f"{snapshot.done / 1e6:.0f} MB"
    if snapshot.done >= snapshot.total:
        return "Checking and unpacking"
    return f"{snapshot.done / 1e6:.0f} of {snapshot.total / 1e6:.0f} MB"
