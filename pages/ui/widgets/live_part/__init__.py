"""A part of a page that follows its workers: drawn by the script once, then over a socket.

The script draws every place of the part when somebody chooses something. While a worker is busy,
what changes is made by the same functions in a thread of the server (`pages.ui.live.stream`), and
sent to the components that show it: no script runs until the worker has ended.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import plotly.graph_objects as go
import streamlit as st

from pages.ui.live.compute_queue import DRAW_PRIORITY
from pages.ui.live.stream import Drawing, Slot, next_version
from pages.ui.live.visitors import this_visitor
from pages.ui.look.section import section
from pages.ui.stage import files
from pages.ui.stage.routes import base_path
from pages.ui.widgets.live_chart import Click, chart_slot, live_chart, overlay, overlay_slot

Snapshot = TypeVar("Snapshot")
_HERE = Path(__file__).parent
_BOLD = re.compile(r"[*]{2}(.+?)[*]{2}")
_LOADER = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const address = new URL(data.modules + "/stream.js", location.origin)
  const options = { ...data, ask: () => setTriggerValue("stale", Date.now()) }
  const mounted = import(address).then(({ mountStream }) => mountStream(parentElement, options))
  return () => mounted.then((cleanup) => cleanup())
}
"""

_stream = st.components.v2.component("red_stream", js=_LOADER)
_words = st.components.v2.component(
    "red_words",
    html='<div class="red-words"></div>',
    css=(_HERE / "words.css").read_text(encoding="utf-8"),
    js=(_HERE / "words.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # its sentences look as those of the page
)
_steps = st.components.v2.component(
    "red_steps",
    html='<label class="steps"><span></span><input type="range" step="1"><output></output></label>',
    css=(_HERE / "steps.css").read_text(encoding="utf-8"),
    js=(_HERE / "steps.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Steps:
    """The steps of a run: the one shown, the last, the first, whether another may be chosen."""

    k: int = 0
    last: int = 0
    still: bool = False
    first: int = 0


class LivePart(Generic[Snapshot]):
    """Draws the places of a part, each from a function of what there is to see.

    These functions are called in other threads too: they may use nothing of Streamlit's, and no
    value that changes. Call them in the order of the places; `follow` ends it.
    """

    def __init__(self, name: str, snapshot: Callable[[], Snapshot]) -> None:
        self._name, self._snapshot = name, snapshot
        self._stream = this_visitor().stream(name)
        self._stream.suspend()
        self.seen = snapshot()
        self._makers: dict[str, Callable[[Snapshot], Slot]] = {}
        self._slots: dict[str, tuple[int, Slot]] = {}

    def slot(self, name: str, make: Callable[[Snapshot], Slot]) -> Slot:
        """What a component shows now, with its slot's name and the number of this drawing.

        The component's script takes more under `window.redViews`.
        """
        shown = make(self.seen)
        at = self._stream.version_of(name, shown)
        self._makers[name], self._slots[name] = make, (at, shown)
        return {"slot": name, "drawn": at, **shown}

    def chart(
        self,
        key: str,
        make: Callable[[Snapshot], go.Figure],
        *,
        height: int,
        on_click: Callable[[Click], None] | None = None,
    ) -> None:
        """A chart, as `live_chart` draws it."""
        live_chart(
            self.slot(key, lambda seen: chart_slot(make(seen))),
            key=key, height=height, on_click=on_click,
        )  # fmt: skip

    def overlay(self, make: Callable[[Snapshot], Sequence[dict[str, Any]]], *, on: str) -> None:
        """Traces over a chart, as `overlay` draws them."""
        overlay(self.slot(f"{on}-overlay", lambda seen: overlay_slot(make(seen))), on=on)

    def words(
        self,
        key: str,
        make: Callable[[Snapshot], str | Sequence[str]],
        tag: str = "p",
        bold: bool = False,
    ) -> None:
        """Sentences, one below the other; nothing where there is none.

        key: of the container around them; tag: "p", or "small" as a caption; bold: whether
        `**this**` is, in sentences that hold no text of a user's.
        """

        def slot(seen: Snapshot) -> Slot:
            found = make(seen)
            return {"html": sentences([found] if isinstance(found, str) else found, tag, bold)}

        with st.container(key=key):
            _words(key=f"{key}-words", data=self.slot(key, slot))

    def html(self, key: str, make: Callable[[Snapshot], str]) -> None:
        """HTML of our own, such as a table."""
        _words(key=key, data=self.slot(key, lambda seen: {"html": make(seen)}))

    def banner(self, key: str, caption: str, make: Callable[[Snapshot], str]) -> None:
        """As `page_style.banner`: a caption, and one line below it in a place of fixed height."""
        name = f"headline-{key}"
        with st.container(key=name):
            st.caption(caption)
            shown = self.slot(name, lambda seen: {"html": sentences([make(seen)], "h2")})
            _words(key=f"{name}-words", data=shown)

    def steps(
        self,
        label: str,
        make: Callable[[Snapshot], Steps],
        *,
        key: str,
        help: str,
        go: Callable[[int], None],
    ) -> None:
        """The slider over the steps of a run: it follows while the run goes on, and leads after.

        go: gets the step that a person chooses.
        """

        def slot(seen: Snapshot) -> Slot:
            steps = make(seen)
            last = max(steps.first + 1, steps.last)
            return {**asdict(steps), "last": last, "still": steps.still and last == steps.last}

        def choose() -> None:
            chosen = st.session_state[key].k
            # A late choice, from before the run went on, does not count.
            if isinstance(chosen, (int, float)) and make(self._snapshot()).still:
                go(int(chosen))

        data = {"label": label, "help": help, **self.slot(key, slot)}
        _steps(key=key, data=data, on_k_change=choose)

    def follow(
        self, state_key: Callable[[Snapshot], tuple[int, ...]], drawn_key: tuple[int, ...]
    ) -> None:
        """From now on the server draws, until `state_key` differs from `drawn_key`, the page's."""
        drawing = Drawing(self._snapshot, self._makers, state_key, drawn_key)
        self._stream.show(drawing, self._slots)

    def connect(self) -> None:
        """Let the browser watch.

        Outside of every fragment: what asks for the script asks for all of it, since a new session
        of Streamlit, as a browser gets that was away for minutes, knows no fragment yet.
        """
        base = base_path()
        with st.container(key=f"overlays-{self._name}"):
            _stream(
                key=f"{self._name}-stream",
                data={
                    "key": self._stream.key,
                    "have": max((at for at, _ in self._slots.values()), default=next_version()),
                    "base": base,
                    "modules": f"{base}/stage/{files.DIGEST}",
                },
                on_stale_change=lambda: None,
            )


def live_part(
    name: str,
    snapshot: Callable[[], Snapshot],
    draw: Callable[[LivePart[Snapshot]], None],
    state_key: Callable[[Snapshot], tuple[int, ...]],
    *,
    drawn: tuple[int, ...] | None = None,
    stale: Callable[[], bool] = lambda: False,
    title: str | None = None,
) -> Snapshot:
    """Draw a part of the page that follows its workers; what there was to see.

    name: a short one; state_key: what the rest of the page depends on, first of all whether a
    worker is busy: where it changes, the whole page is drawn anew; drawn: that key as the rest was
    drawn (None: nothing was drawn from it before this): a worker may have ended since; stale:
    whether it is to be drawn anew at once; title: of the section, None where `draw` has sections of
    its own.
    """
    first = snapshot()
    drawn_key = state_key(first) if drawn is None else drawn
    by_itself = False  # not yet: the first time, the fragment runs as a part of the page

    drawn_by_page = list[LivePart[Snapshot]]()

    @st.fragment
    def part() -> None:
        nonlocal by_itself
        if by_itself and stale():
            st.rerun()
        seen = first
        with nullcontext() if title is None else section(title), DRAW_PRIORITY.drawing():
            live = LivePart(name, snapshot)
            if not by_itself:
                drawn_by_page.append(live)
            seen = live.seen
            draw(live)
            live.follow(state_key, drawn_key)
        if by_itself and state_key(seen) != drawn_key:
            st.rerun()
        by_itself = True

    part()
    drawn_by_page[0].connect()
    return first


def sentences(texts: Sequence[str], tag: str, bold: bool = False) -> str:
    """Text as HTML, letter for letter but for `**bold**` where it is asked for."""
    written = (html.escape(text) for text in texts if text)
    if bold:
        written = (_BOLD.sub(r"<b>\1</b>", text) for text in written)
    return "".join(f"<{tag}>{each}</{tag}>" for each in written)
