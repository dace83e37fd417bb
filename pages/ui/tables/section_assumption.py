"""The dictionary's assumption (Section 3), measured: a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from pages.ui.charts.assumption_chart import assumption_figure
from pages.ui.look.page_style import banner
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables.files import measured_file
from pages.ui.tables.grid import grid
from pages.ui.tables.render import percent
from pages.ui.tables.tables_request import TablesRequest
from pages.ui.widgets.live_chart import live_chart
from red_core.measure.assumption import ASSUMPTION, SPANS

HEIGHT = 460


def assumption(current: TablesRequest) -> None:
    """Draw what the chosen data set's D_a leaves over of attacks that it never saw."""
    report = measured_file(current.dataset, ASSUMPTION, _check)
    banner("assumption", "The dictionary's assumption · Section 3", headline(report))
    if report is None:
        st.markdown("It has not been measured for this data set. This command does it:")
        command = (
            f"python -m red_core assumption --dataset {current.dataset} --examples 1000 --keep"
        )
        st.code(command, "bash", wrap_lines=True)
    else:
        for key, made in report["classifiers"].items():
            _classifier(current, key, made, report)
        st.caption(
            f"{report['n']:,} images of {report['source']}, seed {report['seed']}: "
            f"`{report['command']}`, commit {str(report['provenance'].get('commit'))[:12]}, "
            f"{report['provenance'].get('device')}."
        )
    with st.expander("What am I seeing?"):
        st.markdown(texts.assumption(current.dataset))


def _check(report: Mapping[str, Any]) -> None:
    """KeyError, TypeError or ValueError where the report is not one."""
    headline(report)
    for made in report["classifiers"].values():
        span_table(made["attacks"], list(report["titles"]), report["titles"])
        assumption_figure(made["attacks"], list(report["titles"]))


def _classifier(current: TablesRequest, key: str, made: Mapping[str, Any], report: Any) -> None:
    spans = list(report["titles"])
    if len(report["classifiers"]) > 1:
        st.subheader(made["title"], anchor=False)
    left, right = st.columns([1, 1.1], gap="medium")
    with left:
        figure = assumption_figure(made["attacks"], spans)
        live_chart(figure, key=f"tables-assumption-{current.dataset}-{key}", height=HEIGHT)
    with right:
        st.caption(texts.READ_ASSUMPTION)
        table = span_table(made["attacks"], spans, report["titles"])
        grid(table, "Residuals by span", key=f"tables-spans-{current.dataset}-{key}")


def span_table(
    attacks: Mapping[str, Any], spans: list[str], titles: Mapping[str, str] = SPANS
) -> str:
    """Mean residuals by span and attack as a <table>, each beside a random span's."""
    head = "".join(
        f'<th scope="col">{escape(ATTACK_LABELS.get(attack, attack))}</th>' for attack in attacks
    )
    body = []
    for span in spans:
        cells = "".join(_residual(made["spans"][span]) for made in attacks.values())
        columns = {made["spans"][span]["columns"] for made in attacks.values()}
        about = escape(f"{titles[span]} ({' or '.join(f'{c:,}' for c in sorted(columns))} columns)")
        body.append(f'<tr><th scope="row" class="name">{about}</th>{cells}</tr>')
    nearer = "".join(_nearer(made["nearer"]) for made in attacks.values())
    about = "nearer to as many columns of its own attack than of the others"
    body.append(f'<tr><th scope="row" class="name">{about}</th>{nearer}</tr>')
    return (
        '<table class="spans"><thead><tr><th scope="col" class="name">span of</th>'
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _residual(measured: Mapping[str, Any]) -> str:
    chance = float(measured["random"]["mean"])
    return (
        f'<td><span class="figure" title="dimension {measured["rank"]:g}">'
        f'<span class="value">{float(measured["mean"]):.2f}</span>'
        f'<span class="paper">{chance:.2f}</span></span></td>'
    )


def _nearer(measured: Mapping[str, float]) -> str:
    return (
        f'<td><span class="figure"><span class="value">{percent(measured["value"])}%</span>'
        f'<span></span><span class="range">{percent(measured["low"])} to '
        f"{percent(measured['high'])}"
        "</span></span></td>"
    )


def headline(report: Mapping[str, Any] | None) -> str:
    """The part's line: own block, chance, and other attacks, the means over the attacks."""
    if report is None:
        return "How far does D_a reach beyond the attacks it is made of?"
    made = next(iter(report["classifiers"].values()))["attacks"].values()

    def mean(span: str, *more: str) -> str:
        found = [one["spans"][span] for one in made]
        values = [one[more[0]]["mean"] if more else one["mean"] for one in found]
        return f"{100 * sum(values) / len(values):.0f}%"

    return (
        f"Its own block leaves {mean('own')} of an unseen attack over; a random span of that size "
        f"leaves {mean('own', 'random')}, as many columns of other attacks {mean('others_drawn')}."
    )
