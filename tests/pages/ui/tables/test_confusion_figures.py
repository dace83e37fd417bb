"""Confusion matrices as figures: what is right, what is not, and what is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.ui.charts.confusion import attack_confusion_figure, class_confusion_figure
from pages.ui.look import theme
from red_core.data.datasets import CLASSES

DIGITS, CLOTHES = CLASSES["mnist"], CLASSES["fashion"]
ATTACKS = ("linf", "l2", "l1", "none")
ANSWERS = (*ATTACKS, "unknown")
COUNTS = np.diag([9] * 10) + np.eye(10, k=1, dtype=int)
NAMED = np.array([[96, 1, 0, 3, 0], [0, 81, 12, 7, 0], [0, 20, 80, 0, 0], [0, 0, 0, 0, 0]])

FIGURES: dict[str, Callable[[bool], go.Figure]] = {
    "digits": lambda known: class_confusion_figure(COUNTS if known else None, DIGITS, "linf"),
    "clothes": lambda known: class_confusion_figure(COUNTS if known else None, CLOTHES, "none"),
    "attacks": lambda known: attack_confusion_figure(NAMED if known else None, ATTACKS, ANSWERS),
    "chosen": lambda known: attack_confusion_figure(
        NAMED if known else None, ATTACKS, ANSWERS, (1, 2)
    ),
}
ALL = [(name, known) for name in FIGURES for known in (True, False)]


def plain(name: str, known: bool = True) -> dict[str, Any]:
    return json.loads(FIGURES[name](known).to_json(validate=False))


@pytest.mark.parametrize(("name", "known"), ALL)
def test_plotly_accepts_every_property(name: str, known: bool):
    go.Figure(plain(name, known))  # raises ValueError for any it does not know


@pytest.mark.parametrize(("name", "known"), ALL)
def test_colours_have_partners_in_the_dark(name: str, known: bool):
    text = FIGURES[name](known).to_json(validate=False)
    assert {part[:6] for part in text.split("#")[1:]} <= {light[1:] for light in theme.DARK_OF}


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_jumps_when_the_data_come(name: str):
    known, empty = plain(name)["layout"], plain(name, False)["layout"]
    for part in ("margin", "xaxis", "yaxis"):
        assert known[part] == empty[part]


def test_right_and_misread_have_colours_of_their_own():
    right, misread = plain("digits")["data"][:2]
    assert right["colorscale"][-1][1] == theme.LIGHT.signal
    assert misread["colorscale"][-1][1] == theme.LIGHT.linf
    for i in range(10):
        for j in range(10):
            assert (right["z"][i][j] is None) == (i != j)
            assert (misread["z"][i][j] is None) == (i == j)
    assert misread["z"][0][1] == pytest.approx(0.1**0.5)


def test_an_answer_has_its_attacks_hue():
    columns = plain("attacks")["data"][: len(ANSWERS)]
    hues = [trace["colorscale"][-1][1] for trace in columns]
    light = theme.LIGHT
    assert hues == [light.linf, light.l2, light.l1, light.none, light.residual]


def test_counts_are_written_and_told():
    drawn = plain("digits")
    assert sorted(drawn["data"][-1]["text"]) == ["1"] * 9 + ["9"] * 10
    assert "90 of 99 right" in drawn["layout"]["annotations"][0]["text"]
    assert drawn["data"][1]["hovertext"][4][5] == "true 4, read as 5<br>1 of 10 (10.0%)"
    assert "not measured" in plain("attacks")["data"][0]["hovertext"][3][0]


def test_the_chosen_cell_is_framed():
    (frame,) = plain("chosen")["layout"]["shapes"]
    assert frame["line"]["color"] == theme.LIGHT.accent
    assert frame["x0"] < 2 < frame["x1"]
    assert frame["y0"] < 1 < frame["y1"]
    assert plain("attacks")["layout"]["shapes"] == []


def test_long_names_get_the_room_they_need():
    digits, clothes = plain("digits")["layout"], plain("clothes")["layout"]
    assert digits["xaxis"]["tickangle"] == 0
    assert clothes["xaxis"]["tickangle"] == -90
    assert clothes["margin"]["b"] > digits["margin"]["b"] + 50


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="shape"):
        class_confusion_figure(COUNTS[:3], DIGITS, "linf")
    with pytest.raises(ValueError, match="negative"):
        class_confusion_figure(-COUNTS, DIGITS, "linf")
    with pytest.raises(ValueError, match="no colour"):
        class_confusion_figure(COUNTS, DIGITS, "fgsm")
    with pytest.raises(ValueError, match="finite"):
        attack_confusion_figure(NAMED * np.nan, ATTACKS, ANSWERS)
