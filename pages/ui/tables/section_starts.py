"""In which class inversions begin and end, measured: the claims of Section 5.2.2 and B.7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui.charts.starts import ended_figure, right_figure
from pages.ui.look.page_style import banner
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables.files import measured_file
from pages.ui.tables.render import percent
from pages.ui.tables.tables_request import TablesRequest
from pages.ui.widgets.live_chart import live_chart
from red_core.algorithm.verdict import NO_ATTACK
from red_core.data.datasets import CLASSES, short_name
from red_core.measure.start_classes import FROM_CLASSES, STARTS

HEIGHT = 440


def starts(current: TablesRequest) -> None:
    """Draw where the inversions end, class by class of their start."""
    known = current.dataset in FROM_CLASSES
    report = measured_file(current.dataset, STARTS, _check)
    title = "From every class · Section 5.2.2" if known else "First class, last class · B.7"
    banner("starts", title, headline(report))
    if report is None:
        st.markdown("It has not been measured for this data set. This command does it:")
        options = "--examples 50" if known else "--examples 200 --generator dcgan --attack linf"
        command = f"python -m red_core starts --dataset {current.dataset}"
        st.code(f"{command} {options} --keep", "bash", wrap_lines=True)
    else:
        _measured(report)
    with st.expander("What am I seeing?"):
        st.markdown(texts.STARTS if known else texts.RANDOM_STARTS)


def _measured(report: Mapping[str, Any]) -> None:
    names = CLASSES[report["dataset"]]
    st.caption(f"{texts.READ_STARTS} {read_at_start(report)}")
    left, right = st.columns(2, gap="medium")
    with left:
        figure = right_figure(report["right"], _begun(report), names)
        live_chart(figure, key="tables-starts-right", height=HEIGHT)
    with right:
        figure = ended_figure(report["ended"], report["seen"], names)
        live_chart(figure, key="tables-starts-ended", height=HEIGHT)
    st.caption(about(report))


def _check(report: Mapping[str, Any]) -> None:
    """KeyError, TypeError or ValueError where the report is not one."""
    names = CLASSES[report["dataset"]]
    headline(report)
    about(report)
    read_at_start(report)
    right_figure(report["right"], _begun(report), names)
    ended_figure(report["ended"], report["seen"], names)


def _begun(report: Mapping[str, Any]) -> list[list[int]]:
    """The inversions by (class of the start, class of the image); an older report has images."""
    return report.get("begun") or [report["images"]] * len(report["seen"])


def headline(report: Mapping[str, Any] | None) -> str:
    """The part's line: how many end right, how many stay where they began."""
    if report is None:
        return "Does an inversion end in the right class, whatever class it began in?"
    right, kept = float(report["share"]["value"]), float(report["kept"])
    if report["dataset"] not in FROM_CLASSES:
        return (
            f"{float(report['same']):.0%} of the inversions begin in the image's own class, "
            f"{right:.0%} end in it; of the others, {kept:.0%} stay where they began."
        )
    if right > kept:
        return (
            f"From any class, {right:.0%} of the inversions end in the image's own class; "
            f"{kept:.0%} stay where they began."
        )
    return (
        f"The start holds them: {kept:.0%} of the inversions stay in the class they began in; "
        f"{right:.0%} end in the image's own."
    )


def read_at_start(report: Mapping[str, Any]) -> str:
    """The sentence on psi's reading of the starts themselves."""
    if report["dataset"] not in FROM_CLASSES:
        return "The class of the start is what ψ reads in the first G(z), of a random z."
    names, seen = CLASSES[report["dataset"]], report["seen"]
    others = [
        f"{short_name(names[start])} as {short_name(names[found])}"
        for start, found in enumerate(seen)
        if found != start
    ]
    if not others:
        return "ψ reads every start's own G(w) as the class it was made for."
    own = len(seen) - len(others)
    return (
        f"ψ reads {own} of the {len(seen)} starts' own G(w) as the class they were made for; "
        f"it reads {', '.join(others)}."
    )


def about(report: Mapping[str, Any]) -> str:
    """The interval, what it is compared with, and what made the figures."""
    share, clean, kept = report["share"], report["clean"], report["kept"]
    distances = [distance for distance in report["mean_distance"] if distance is not None]
    low, high = min(distances), max(distances)
    starts = f"from each of {len(report['seen'])} classes"
    if report["dataset"] not in FROM_CLASSES:
        starts = f"each from one random z, generator {report['generator']}, preset paper"
    attack = report["attack"]
    how = "as they are" if attack == NO_ATTACK else f"under {ATTACK_LABELS[attack]}"
    source = report["provenance"]
    return (
        f"{percent(share['value'])}% ({percent(share['low'])} to {percent(share['high'])}) of all "
        f"inversions end right; ψ reads {percent(clean['value'])}% "
        f"({percent(clean['low'])} to {percent(clean['high'])}) of the images themselves right. "
        f"Of those from another class than the image's, {percent(kept)}% stay where they began. "
        f"The mean distance of G from the inverted image at the end is {low:.2f} to {high:.2f}, by "
        f"the class of the start. {report['n']:,} images of {report['source']} {how}, {starts}, "
        f"{report['steps']} steps, seed {report['seed']}: "
        f"`{report['command']}`, commit {str(source.get('commit'))[:12]}, {source.get('device')}."
    )
