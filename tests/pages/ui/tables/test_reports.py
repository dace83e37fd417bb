"""Section 3's assumption and the attacks nobody trained for: figures, tables and sentences."""

from __future__ import annotations

import copy
import json
from typing import Any

import plotly.graph_objects as go
import pytest

from pages.ui.charts.assumption_chart import SHORT, assumption_figure
from pages.ui.charts.confusion_answers import answers_figure
from pages.ui.look import theme
from pages.ui.tables import section_assumption, section_unknown
from red_core.measure.assumption import SPANS
from red_core.methods import ANSWERS
from tests.pages.ui.tables.toys import toy_assumption, toy_unknown

ATTACKS = toy_assumption("mnist")["classifiers"]["psi"]["attacks"]
UNSEEN = toy_unknown("mnist")

FIGURES = {
    "assumption": lambda: assumption_figure(ATTACKS, list(SPANS)),
    "assumption, empty": lambda: assumption_figure(None, list(SPANS)),
    "answers": lambda: answers_figure(UNSEEN["attacks"], ANSWERS),
    "answers, empty": lambda: answers_figure({}, ANSWERS),
}


def plain(name: str) -> dict[str, Any]:
    return json.loads(FIGURES[name]().to_json(validate=False))


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_every_property(name: str):
    go.Figure(plain(name))  # raises ValueError for any it does not know


@pytest.mark.parametrize("name", FIGURES)
def test_colours_have_partners_in_the_dark(name: str):
    text = FIGURES[name]().to_json(validate=False)
    assert {part[:6] for part in text.split("#")[1:]} <= {light[1:] for light in theme.DARK_OF}


def test_every_span_has_a_row_for_every_attack_in_its_hue():
    drawn = plain("assumption")
    assert set(SHORT) == set(SPANS)
    assert drawn["layout"]["yaxis"]["ticktext"] == [SHORT[span] for span in SPANS] * 3
    assert drawn["layout"]["xaxis"] == plain("assumption, empty")["layout"]["xaxis"]
    assert drawn["layout"]["yaxis"] == plain("assumption, empty")["layout"]["yaxis"]
    dots = [trace for trace in drawn["data"] if trace.get("mode") == "markers"][::2]
    assert len(dots) == 3 * len(SPANS)
    hues = {dot["y"][0]: dot["marker"]["color"] for dot in dots}
    assert [hues[row] for row in range(len(SPANS))] == [
        theme.LIGHT.residual if "others" in span else theme.LIGHT.linf for span in SPANS
    ]
    assert dots[0]["x"] == [pytest.approx(0.05)]
    assert "200 columns" in dots[0]["hovertext"][0]


def test_the_assumptions_table_and_line_state_the_means():
    html = section_assumption.span_table(ATTACKS, list(SPANS))
    assert html.count("<tr>") == len(SPANS) + 2
    assert html.count('<span class="value">0.10</span><span class="paper">0.86</span>') == 3
    assert "88.9%" in html
    said = section_assumption.headline(toy_assumption("mnist"))
    assert "leaves 10% of an unseen attack over" in said
    assert "leaves 86%" in said


def test_the_answers_of_an_attack_fill_its_bar():
    drawn = plain("answers")
    bars = drawn["data"][: len(ANSWERS)]
    for place in range(len(UNSEEN["attacks"])):
        assert sum(bar["x"][place] for bar in bars) == pytest.approx(1)
    assert [bar["marker"]["color"] for bar in bars] == [
        *(theme.LIGHT.attack(name) for name in ANSWERS[:4]),
        theme.LIGHT.residual,
    ]
    read = drawn["data"][-1]
    assert read["x"] == [one["signal"]["value"] for one in UNSEEN["attacks"].values()]
    places = drawn["layout"]["yaxis"]["tickvals"]
    assert places == sorted(places)
    assert drawn["layout"]["yaxis"]["ticktext"][0] == "PGD ℓ∞"


def test_the_unseen_attacks_stand_in_groups():
    html = section_unknown.attack_table(UNSEEN["attacks"], UNSEEN["titles"])
    assert html.count('class="part"') == len(UNSEEN["titles"])
    assert html.count('scope="row"') == len(UNSEEN["attacks"])
    worst = min(
        (one for one in UNSEEN["attacks"].values() if one["group"] != "known"),
        key=lambda one: one["signal"]["value"],
    )
    said = section_unknown.headline(UNSEEN)
    assert f"the hardest is {worst['title']}: {100 * worst['signal']['value']:.1f}%" in said


def test_the_threshold_is_stated():
    assert "At most 2.0% of known attacks" in section_unknown.threshold(UNSEEN)
    assert "900 held-out runs" in section_unknown.threshold(UNSEEN)
    assert "never answers unknown" in section_unknown.threshold({**UNSEEN, "threshold": None})


def test_nothing_measured_has_a_line_too():
    assert section_assumption.headline(None).endswith("?")
    assert section_unknown.headline(None).endswith("?")
    assert section_unknown.headline({**UNSEEN, "attacks": {}}).endswith("?")


def test_wrong_numbers_are_refused():
    broken = copy.deepcopy(ATTACKS)
    broken["l1"]["spans"]["own"]["random"]["mean"] = float("nan")
    with pytest.raises(ValueError, match="finite"):
        assumption_figure(broken, list(SPANS))
    nobody = {"fgsm": {**next(iter(UNSEEN["attacks"].values())), "n": 0}}
    with pytest.raises(ValueError, match="no image"):
        answers_figure(nobody, ANSWERS)
