"""What a session of the page "Compare" holds: its image, its comparison and its sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from pages.ui.compare.compare_request import CompareRequest
from pages.ui.compare.comparison import Comparison, ComparisonView
from pages.ui.compare.sweep import Sweep, SweepView
from pages.ui.link.page_state import models_of
from pages.ui.live.kept_worker import KeptWorker
from pages.ui.live.visitors import this_visitor
from pages.ui.undo.undo_registry import RunRegistry, digest
from red_core.methods import Method
from red_core.run.bundle import Bundle
from red_core.run.experiment import AttackedBatch, start_seeds
from red_core.run.settings import RunSettings

Key = tuple[RunSettings, str]
_Work = tuple[Key, str]  # a key, and where the examples are from


@st.cache_resource(max_entries=6, show_spinner=False)
def fitted(dataset: str, device: str) -> dict[str, Method]:
    """The methods that somebody has used already, by key; workers add to it in their turns."""
    return {}


def methods_at_hand(bundle: Bundle) -> dict[str, Method]:
    """The bundle's own."""
    return fitted(bundle.dataset, str(bundle.device))


KEPT_SWEEPS = 8  # of images that anybody may see; 9 images and their answers each


@st.cache_resource(show_spinner=False)
def kept_sweeps() -> dict[_Work, SweepView]:
    """What sweeps of gallery images found last, for every visitor; the latest KEPT_SWEEPS."""
    return {}


class CompareRegistry:
    """A session's own workers; each belongs to an image, and ends with it."""

    def __init__(self) -> None:
        self.images = RunRegistry()
        self.runs = 0  # begun so far
        self._comparison = KeptWorker[Comparison]()
        self._sweep = KeptWorker[Sweep]()

    def comparison(self, request: CompareRequest) -> Comparison | None:
        """The comparison on this image; one on another is ended and forgotten."""
        return self._comparison.on(_work(image_key(request)))

    def comparison_snapshot(self, request: CompareRequest) -> Callable[[], ComparisonView | None]:
        """A function, for any thread, of what the comparison on this image shows."""
        work = _work(image_key(request))

        def look() -> ComparisonView | None:
            worker = self._comparison.find(work)
            return None if worker is None else worker.view()

        return look

    def compare(self, request: CompareRequest, made: AttackedBatch, anew: bool) -> None:
        """Begin a comparison; anew: repeat what has been answered already, too."""
        before = self.comparison(request)
        kept = {} if before is None or anew else {a.key: a for a in before.view().attempts}
        self.runs += 1
        bundle = models_of(request.settings).bundle
        seeds = start_seeds(request.settings)
        self._comparison.begin(
            _work(image_key(request)),
            lambda: Comparison(
                bundle, made.attacked, seeds, request.methods, methods_at_hand(bundle), kept
            ),
        )

    def sweep(self, request: CompareRequest) -> Sweep | None:
        """The sweep of this image and norm; one of another is ended and forgotten."""
        return self._sweep.on(_work(sweep_key(request)))

    def sweep_snapshot(self, request: CompareRequest) -> Callable[[], SweepView | None]:
        """A function, for any thread, of what the sweep of this image and norm shows."""
        work = _work(sweep_key(request))

        def look() -> SweepView | None:
            worker = self._sweep.find(work)
            return None if worker is None else worker.view()

        return look

    def begin_sweep(self, request: CompareRequest, anew: bool) -> None:
        """Begin a sweep; anew: repeat what has been answered already, too."""
        before = self.sweep(request)
        known = kept_sweeps().get(_work(sweep_key(request))) if before is None else before.view()
        kept = None if anew else known
        bundle = models_of(request.settings).bundle
        self._sweep.begin(
            _work(sweep_key(request)),
            lambda: Sweep(
                bundle, request.settings, request.own, request.methods, methods_at_hand(bundle),
                kept,
            ),
        )  # fmt: skip

    def keep_sweep(self, request: CompareRequest, view: SweepView) -> None:
        """Keep what a sweep that has ended found, for whoever asks for the same; own images not."""
        ended = not view.busy and all(row.status in ("done", "missing") for row in view.rows)
        if request.own is not None or not ended:
            return
        kept, work = kept_sweeps(), _work(sweep_key(request))
        if len(view.rows) >= len(kept[work].rows if work in kept else ()):
            kept.pop(work, None)
            kept[work] = view
        while len(kept) > KEPT_SWEEPS:
            kept.pop(next(iter(kept)))

    def workers(self) -> tuple[Comparison | Sweep, ...]:
        """What compares and sweeps."""
        return *self._comparison.workers(), *self._sweep.workers()

    def take_over(self, before: CompareRegistry) -> None:
        """Take the comparison and the sweep of the tab's session before this one."""
        self.runs = max(self.runs, before.runs)
        self._comparison.take_over(before._comparison)
        self._sweep.take_over(before._sweep)

    def clear(self) -> None:
        """End everything."""
        self._comparison.end()
        self._sweep.end()
        self.images.clear()


def compare_registry() -> CompareRegistry:
    """This tab's registry."""
    return this_visitor().registry(CompareRegistry)


def image_key(request: CompareRequest) -> Key:
    """What x' depends on."""
    return request.settings, digest(request.own)


def sweep_key(request: CompareRequest) -> Key:
    """The same without the strength of the attack, which a sweep goes through itself."""
    return replace(request.settings, eps=None, step_size=None), digest(request.own)


def _work(key: Key) -> _Work:
    """What a worker is of; after a download the same number means another image."""
    return key, models_of(key[0]).bundle.examples.source
