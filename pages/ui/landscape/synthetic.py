"""The landscape of a network with two inputs: all of it, with live paths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from html import escape

import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.landscape import (
    Mark,
    Ring,
    Trail,
    above_figure,
    above_trails,
    descent_figure,
    ring_traces,
    tall_figure,
    tall_trails,
)
from pages.ui.landscape import landscape_headlines as words
from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.landscape.drawing import (
    MARKED,
    NAMES,
    basin_of,
    marks_of,
    pl_of,
    relief_of,
    rings_of,
    worth_a_mark,
)
from pages.ui.landscape.landscape_page_state import PAGE, begin_at, load_request
from pages.ui.landscape.landscape_presets import PRESETS
from pages.ui.landscape.landscape_registry import landscape_registry
from pages.ui.landscape.landscape_request import LandscapeRequest
from pages.ui.landscape.landscape_scan import LEAST, LandscapeScanView
from pages.ui.landscape.landscape_transport import SPEEDS, cursor, transport
from pages.ui.landscape.paths import PathsView
from pages.ui.look.literal import literal
from pages.ui.look.page_style import banner
from pages.ui.look.section import section
from pages.ui.widgets.live_chart import Click, live_chart
from pages.ui.widgets.live_part import LivePart, live_part

HEIGHT = 430
PATIENCE = 1.0  # seconds the page waits for the first picture rather than draw an empty one
LISTED = 7  # stationary points in the table

_Snapshot = tuple[LandscapeScanView, PathsView | None]


def synthetic(request: LandscapeRequest) -> None:
    """Draw the page for a synthetic instance."""
    registry = landscape_registry()
    scan = registry.scan(request)
    scan.wait(PATIENCE)
    view = scan.view()
    paths = None if view.base is None else registry.paths(request, view.base, SPEEDS.chosen)
    drawn = _state_key((view, None if paths is None else paths.view()))
    banner("landscape", "Landscape · two dimensions", words.headline(view.base, view.basins))
    if view.error:
        st.error(literal(view.error))
    with section("The presets"):
        _presets(request)
    with section("The charts"):
        _charts(request, view)
    live_part(
        "landscape-paths",
        lambda: (scan.view(), None if paths is None else paths.view()),
        partial(_moving, request),
        _state_key,
        drawn=drawn,
        # Other starts, and paths that begin again, are begun by all of the page.
        stale=lambda: PAGE.current != request or registry.present is not paths,
        title="The paths",
    )
    with st.expander("What am I seeing?"):
        st.markdown(texts.SYNTHETIC)
    with section("The PL condition"):
        _pl(view)


def _pl(view: LandscapeScanView) -> None:
    """The PL quotient over the plane, and whether the condition can hold on all of it."""
    banner("pl", "The PL condition", words.pl_line(view.base))
    left, right = st.columns(2, gap="medium")
    relief, marks = None, list[Mark]()
    if view.base is not None:
        relief, marks = pl_of(view.base), marks_of(view.base, view.basins)
    with left:
        limits = (-LEAST, LEAST, -LEAST, LEAST)
        live_chart(above_figure(relief, marks, limits=limits), key="pl", height=HEIGHT)
    with right:
        st.markdown(texts.PL)


def _presets(request: LandscapeRequest) -> None:
    """Landscapes worth seeing; the one that is shown is marked."""
    shown = [i for i, one in enumerate(PRESETS) if one.request.settings == request.settings]
    st.session_state["landscape.preset"] = shown[0] if shown else None

    def take() -> None:
        chosen = st.session_state["landscape.preset"]
        if chosen is not None:
            load_request(PRESETS[chosen].request)

    st.pills(
        "Presets",
        range(len(PRESETS)),
        format_func=lambda place: PRESETS[place].name,
        help=f"{texts.PRESETS}\n\n"
        + "\n\n".join(f"**{preset.name}.** {preset.about}" for preset in PRESETS),
        key="landscape.preset",
        on_change=take,
        label_visibility="collapsed",
    )
    st.caption(PRESETS[shown[0]].about if shown else texts.OWN)


def _state_key(seen: _Snapshot) -> tuple[int, ...]:
    """What the page outside of the paths rests on."""
    view, paths = seen
    running = paths is not None and paths.running
    starts = 0 if paths is None else len(paths.ends)
    return view.busy or running, view.busy, view.base is not None, view.basins is not None, starts


def _charts(request: LandscapeRequest, view: LandscapeScanView) -> None:
    """What stays: the base, from above and in relief."""
    relief, marks, basin = None, [], None
    if view.base is not None:
        relief = relief_of(view.base.surface, NAMES, request.log)
        marks = marks_of(view.base, view.basins)
        if request.basins and view.basins is not None:
            basin = basin_of(view.basins, view.base)
            if set(basin.fates) == {"home"}:
                basin = None  # one basin: the plain heights are smoother
    balls, rings = None, list[Ring]()
    if view.base is not None and request.wdc:
        balls, rings = rings_of(view.base, request.wdc)
    limits = (-LEAST, LEAST, -LEAST, LEAST)
    left, right = st.columns(2, gap="medium")
    with left:
        above = above_figure(relief, marks, basin, limits=limits, over=ring_traces(rings))
        live_chart(above, key="above", height=HEIGHT, on_click=_clicked)
    with right:
        tall = tall_figure(relief, marks, basin, limits=limits)
        live_chart(tall, key="tall", height=HEIGHT, on_click=_clicked)
    if view.base is not None and balls is not None:
        size = float(view.base.inversion.z_star.norm())
        st.caption(words.balls_line(balls, request.wdc, size))


def _clicked(click: Click) -> None:
    begin_at((click.at,))


def _moving(request: LandscapeRequest, live: LivePart[_Snapshot]) -> None:
    """What moves: buttons, the paths over the charts, f along them."""
    view, paths = live.seen
    base, at_of = view.base, cursor()
    if base is not None and paths is not None:
        relief = relief_of(base.surface, NAMES, request.log)
        with st.container(key="overlays"):
            live.overlay(lambda seen: above_trails(*_trails(seen, at_of)), on="above")
            live.overlay(lambda seen: tall_trails(relief, *_trails(seen, at_of)), on="tall")
    transport(live, LEAST if base is None else float(base.surface.x[-1]))
    refused = st.session_state["landscape.refused"]
    live.words("landscape-said", lambda seen: refused or words.paths_line(seen[1]), "small")
    left, right = st.columns(2, gap="medium")
    with left:
        live.chart("descent", lambda seen: _descent(seen[1], at_of(seen[1])), height=250)
    with right:
        _table(view)


def _trails(
    seen: _Snapshot, at_of: Callable[[PathsView | None], int | None]
) -> tuple[Sequence[Trail], Sequence[int]]:
    """The paths, and which point of each is looked at."""
    paths = seen[1]
    if paths is None:
        return (), ()
    at = at_of(paths)
    return paths.trails, [
        len(trail.ks) - 1 if at is None else bisect_right(trail.ks.tolist(), at) - 1
        for trail in paths.trails
    ]


def _descent(paths: PathsView | None, at: int | None) -> go.Figure:
    return descent_figure([] if paths is None else paths.losses, at)


def _table(view: LandscapeScanView) -> None:
    """The stationary points, lowest first."""
    base = view.base
    if base is None:
        st.caption("The stationary points will be shown here.")
        return
    z_star = base.inversion.z_star
    points = worth_a_mark(base, view.basins)
    rows = "".join(
        f"<tr><td>{escape(point.words)}</td>"
        f"<td>({float(point.z[0]):.3f}, {float(point.z[1]):.3f})</td>"
        f"<td>{'' if point.solution else escape(words.multiple(point.z, z_star))}</td>"
        f"<td>{0.0 if point.solution else point.value:.3g}</td></tr>"
        for point in points[:LISTED]
    )
    st.html(
        "<table class='answers'><tr><th>stationary point</th><th>z</th><th>where</th><th>f</th>"
        f"</tr>{rows}</table>"
    )
    hidden = len(base.stationary.points) - min(len(points), LISTED)
    more = f" {hidden} more, with barriers below {MARKED:.0%} of f(0), are left out here."
    st.caption(f"{base.stationary.words}{more if hidden else ''}")
