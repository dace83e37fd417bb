"""Attacks nobody trained for: what survives them, and what the verdict says of them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

import streamlit as st

from pages.ui.charts.confusion_answers import answers_figure
from pages.ui.look.literal import literal
from pages.ui.look.page_style import banner
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables.files import measured_file
from pages.ui.tables.grid import grid
from pages.ui.tables.render import percent
from pages.ui.tables.tables_request import TablesRequest
from pages.ui.widgets.live_chart import live_chart
from red_core.measure.tables.spec import title_of
from red_core.measure.unknown import MEASURED
from red_core.measure.unknown.measure_unknown import report_name
from red_core.measure.unknown.registry import BEST

_COLUMNS = {
    "psi": "ψ reads x' right",
    "signal": "class read right",
    "signal_reader": "by our second classifier",
    "right": "answer right",
    "unknown": "answered unknown",
}
_ROW = 34  # pixels of a bar
_AROUND = 80


def unknown(current: TablesRequest) -> None:
    """Draw how attacks that nobody trained for are answered; nothing where that is not measured."""
    methods = MEASURED.get(current.dataset, ())
    if not methods:
        return
    reports = {
        method: report
        for method in methods
        if (report := measured_file(current.dataset, report_name(method), _check)) is not None
        and report["attacks"]
    }
    report = reports.pop(BEST, None)
    banner("unknown", "Attacks nobody trained for", headline(report))
    if report is None:
        st.markdown("They have not been measured for this data set. This command does it:")
        command = f"python -m red_core unknown --dataset {current.dataset} --examples 200 --keep"
        st.code(command, "bash", wrap_lines=True)
    else:
        _measured(current, report)
    for method, other in reports.items():
        st.markdown(f"**{title_of(method)}**")
        table = attack_table(other["attacks"], other["titles"])
        grid(table, f"{title_of(method)}: attacks nobody trained for", key=f"tables-{method}")
        _commands(other)
    with st.expander("What am I seeing?"):
        st.markdown(texts.UNKNOWN)


def _measured(current: TablesRequest, report: Mapping[str, Any]) -> None:
    attacks = report["attacks"]
    left, right = st.columns([1, 1.2], gap="medium")
    with left:
        height = _AROUND + _ROW * (len(attacks) + len(report["titles"]))
        figure = answers_figure(attacks, report["answers"])
        live_chart(figure, key=f"tables-answers-{current.dataset}", height=height)
    with right:
        st.caption(f"{texts.READ_UNKNOWN} {threshold(report)}")
        table = attack_table(attacks, report["titles"])
        grid(table, "Attacks nobody trained for", key=f"tables-unknown-{current.dataset}")
    for key, why in report.get("missing", {}).items():
        st.caption(literal(f"{key} is missing: {why}"))
    _commands(report)


def _commands(report: Mapping[str, Any]) -> None:
    with st.expander("What made these figures"):
        for made in report["attacks"].values():
            st.caption(f"**{made['title']}**: {made['words']}. {_made_by(made)}")
            st.code(made["command"], "bash", wrap_lines=True)


def _made_by(made: Mapping[str, Any]) -> str:
    source = made["provenance"]
    commit = str(source.get("commit"))[:12]
    return f"{made['n']:,} images of {made['source']}, commit {commit}, {source.get('device')}."


def _check(report: Mapping[str, Any]) -> None:
    """KeyError, TypeError or ValueError where the report is not one."""
    headline(report)
    threshold(report)
    attack_table(report["attacks"], report["titles"])
    if report.get("method", BEST) == BEST:
        answers_figure(report["attacks"], report["answers"])


def threshold(report: Mapping[str, Any]) -> str:
    """The sentence that states when an attack is called unknown."""
    threshold = report["threshold"]
    if threshold is None:
        return "This data set's evidence has no threshold: it never answers unknown."
    return (
        f"At most {percent(threshold['wrongly_flagged'])}% of known attacks may be called unknown: "
        f"the threshold is set on {threshold['held_out_runs']:,} held-out runs."
    )


def headline(report: Mapping[str, Any] | None) -> str:
    """The part's line: what survives of what nobody trained for."""
    made = [] if report is None else list(report["attacks"].values())
    unseen = [one for one in made if one["group"] != "known"]
    if not unseen:
        return "What if an attack comes that D_a does not hold?"
    worst = min(unseen, key=lambda one: float(one["signal"]["value"]))
    found = (
        f"Of {len(unseen)} attacks nobody trained for, the hardest is {worst['title']}: "
        f"{percent(worst['signal']['value'])}% are read right."
    )
    named = [float(one["right"]["value"]) for one in unseen if "right" in one]
    if not named:
        return found
    return f"{found} The answer is right for {percent(sum(named) / len(named))}%."


def attack_table(attacks: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """A line for each attack, in groups, as a <table>."""
    answered = set().union(*attacks.values())
    columns = {name: title for name, title in _COLUMNS.items() if name in answered}
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in columns.values())
    body = []
    for group, made in groupby(attacks.values(), lambda one: one["group"]):
        about = escape(titles[group])
        body.append(f'<tr><th class="part" colspan="{1 + len(columns)}">{about}</th></tr>')
        for one in made:
            cells = "".join(_share(one[column], one["n"]) for column in columns)
            name = f'<th scope="row" class="name">{escape(one["title"])}</th>'
            body.append(f"<tr>{name}{cells}</tr>")
    return (
        f'<table class="unseen"><thead><tr><th scope="col" class="name">attack</th>{head}</tr>'
        f"</thead><tbody>{''.join(body)}</tbody></table>"
    )


def _share(share: Mapping[str, float], count: int) -> str:
    return (
        f'<td><span class="figure single" title="{count:,} images">'
        f'<span class="value">{percent(share["value"])}</span>'
        f'<span class="range">{percent(share["low"])} to {percent(share["high"])}</span>'
        "</span></td>"
    )
