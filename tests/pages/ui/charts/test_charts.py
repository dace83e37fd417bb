from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.ui.charts.bars import probability_figure
from pages.ui.charts.energies import energy_figure
from pages.ui.charts.traces import GAP_NAME, START_NAME, loss_figure, mu_figure
from pages.ui.charts.verdict import margin_figure, residual_figure
from pages.ui.look import theme
from red_core.data.datasets import CLASSES

NAMES = tuple("0123456789")
CLOTHES = CLASSES["fashion"]
ATTACKS = ("linf", "l2", "l1")
ENERGY = np.arange(30.0).reshape(10, 3) / 10
CERTAIN = np.eye(10)[7] * 0.96 + 0.004
KS = [0, 10, 20, 30]

# Each figure with data and without.
FIGURES: dict[str, tuple[Callable[[], go.Figure], Callable[[], go.Figure]]] = {
    "energies": (
        lambda: energy_figure(ENERGY, NAMES, ATTACKS, limit=3.0, truth=(7, 0)),
        lambda: energy_figure(None, NAMES, ATTACKS, limit=3.0),
    ),
    "loss": (
        lambda: loss_figure(KS, [9, 4, 3, 2], [1, 0.1, 0, 1e-5], 200, 20),
        lambda: loss_figure([], [], [], 200, 20),
    ),
    "mu": (
        lambda: mu_figure(KS, [0.5, None, math.nan, 0.2], "μ, exact", 200, 20),
        lambda: mu_figure([], [], "μ, exact", 200, 20),
    ),
    "probabilities": (
        lambda: probability_figure(CERTAIN, CERTAIN[::-1], NAMES, "l2"),
        lambda: probability_figure(None, None, NAMES, "l2"),
    ),
    "residuals": (
        lambda: residual_figure(5 - ENERGY, NAMES, ATTACKS),
        lambda: residual_figure(None, NAMES, ATTACKS),
    ),
    "margins": (
        lambda: margin_figure(CERTAIN, [0.9, 0.06, 0.03, 0.01], NAMES, (*ATTACKS, "none")),
        lambda: margin_figure(None, None, NAMES, (*ATTACKS, "none")),
    ),
}
# The same with names in the digits' place.
FIGURES |= {
    "energies of clothes": (
        lambda: energy_figure(ENERGY, CLOTHES, ATTACKS, limit=3.0, truth=(9, 0)),
        lambda: energy_figure(None, CLOTHES, ATTACKS, limit=3.0),
    ),
    "probabilities of clothes": (
        lambda: probability_figure(CERTAIN, CERTAIN[::-1], CLOTHES, "l2"),
        lambda: probability_figure(None, None, CLOTHES, "l2"),
    ),
    "residuals of clothes": (
        lambda: residual_figure(5 - ENERGY, CLOTHES, ATTACKS),
        lambda: residual_figure(None, CLOTHES, ATTACKS),
    ),
    "margins of clothes": (
        lambda: margin_figure(CERTAIN, [0.9, 0.06, 0.03, 0.01], CLOTHES, (*ATTACKS, "none")),
        lambda: margin_figure(None, None, CLOTHES, (*ATTACKS, "none")),
    ),
}
ALL = [(name, known) for name in FIGURES for known in (True, False)]


def _figure(name: str, known: bool) -> dict[str, Any]:
    drawn = FIGURES[name][0 if known else 1]()
    return json.loads(drawn.to_json(validate=False))


@pytest.mark.parametrize(("name", "known"), ALL)
def test_plotly_accepts_every_property(name: str, known: bool) -> None:
    go.Figure(_figure(name, known))  # raises ValueError for any it does not know


@pytest.mark.parametrize(("name", "known"), ALL)
def test_colours_have_partners_in_the_dark(name: str, known: bool) -> None:
    text = FIGURES[name][0 if known else 1]().to_json(validate=False)
    found = {part[:6] for part in text.split("#")[1:]}
    assert found <= {light[1:] for light in theme.DARK_OF}


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_jumps_when_the_data_come(name: str) -> None:
    known, empty = _figure(name, True)["layout"], _figure(name, False)["layout"]
    assert known["margin"] == empty["margin"]
    for axis in [key for key in known if key.startswith("xaxis")]:
        assert known[axis] == empty[axis]
    assert len(known["annotations"]) == len(empty["annotations"])
    assert known["paper_bgcolor"] == known["plot_bgcolor"] == "rgba(0,0,0,0)"


@pytest.mark.parametrize("name", FIGURES)
def test_an_update_is_small(name: str) -> None:
    assert len(json.dumps(_figure(name, True))) < 10_000


def test_energies_have_a_row_of_its_hue_for_each_attack() -> None:
    figure = _figure("energies", True)
    rows = [trace for trace in figure["data"] if trace["type"] == "heatmap"]
    for j, (row, attack) in enumerate(zip(rows, ATTACKS, strict=True)):
        assert row["z"] == [ENERGY[:, j].tolist()]
        assert row["y"] == [j]
        assert (row["zmin"], row["zmax"]) == (0, 3)
        assert row["colorscale"][-1][1] == theme.LIGHT.attack(attack)
    frame = figure["layout"]["shapes"][0]
    assert frame["x0"] < 7 < frame["x1"]
    assert frame["y0"] < 0 < frame["y1"]
    assert "class 7, attack ℓ∞" in rows[0]["hovertext"][0][7]
    assert "switched off" in rows[0]["hovertext"][0][0]


def test_parts_of_the_energy_are_told_in_percent() -> None:
    energy = np.zeros((10, 3))
    energy[2, 1], energy[3, 0] = 3.0, 1.0
    rows = energy_figure(energy, NAMES, ATTACKS, 3.0).to_dict()["data"]
    assert "75% of all" in rows[1]["hovertext"][0][2]
    assert "25% of all" in rows[0]["hovertext"][0][3]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0004, "4e-4"), (0.0096, "0.01"), (0.063, "0.06"), (0.58, "0.58"), (3.2, "3.2"), (41, "41")],
)
def test_numbers_in_cells_fit_a_phone(value: float, written: str) -> None:
    drawn = energy_figure(np.full((10, 3), value), NAMES, ATTACKS, value).to_dict()
    assert drawn["data"][-1]["text"] == [written] * 30


def test_the_smallest_residual_is_marked_in_its_attacks_hue() -> None:
    residuals = np.full((10, 3), 5.0)
    residuals[4, 1] = 3.25
    drawn = residual_figure(residuals, NAMES, ATTACKS).to_dict()
    (frame,) = drawn["layout"]["shapes"]
    assert (frame["x0"] + frame["x1"]) / 2 == 4
    assert (frame["y0"] + frame["y1"]) / 2 == 1
    assert frame["line"]["color"] == theme.LIGHT.l2
    assert "3.25 (class 4, ℓ2)" in drawn["layout"]["annotations"][0]["text"]
    assert "the smallest" in drawn["data"][1]["hovertext"][0][4]
    assert "54% above" in drawn["data"][0]["hovertext"][0][0]


def test_the_axis_of_steps_is_fixed_and_the_start_is_named() -> None:
    drawn = _figure("loss", False)
    assert drawn["layout"]["xaxis"]["range"] == [0, 200]
    band = drawn["layout"]["shapes"][0]
    assert (band["x0"], band["x1"]) == (0, 20)
    assert START_NAME in [note["text"] for note in drawn["layout"]["annotations"]]
    whole = loss_figure([], [], [], 200).to_dict()
    assert not whole["layout"]["shapes"]
    assert START_NAME not in str(whole["layout"]["annotations"])
    round_one = loss_figure([], [], [], 13, 1, "DiffPure").to_dict()["layout"]["annotations"]
    assert "DiffPure" in [note["text"] for note in round_one]


def test_the_log_axis_holds_the_values_and_moves_by_decades() -> None:
    assert _figure("loss", False)["layout"]["yaxis"]["range"] == [-2, 2]
    drawn = loss_figure(KS, [4e3, 2, 2, 2], [1, 0, math.inf, 2e-5], 200).to_dict()
    assert drawn["layout"]["yaxis"]["range"] == [-5, 4]
    assert len(drawn["layout"]["yaxis"]["tickvals"]) <= 5


def test_what_a_log_axis_cannot_show_leaves_a_gap() -> None:
    gap = loss_figure(KS, [9, 4, 3, 2], [1, 0, math.nan, 1e-5], 200).data[1]
    assert gap.name == GAP_NAME
    np.testing.assert_array_equal(np.isnan(gap.y), [False, True, True, False])
    assert mu_figure(KS, [1.0, 2.0], "mu", 200).data[0].x.tolist() == [0, 10]


def test_the_margins_are_best_minus_second_best() -> None:
    text = str(_figure("margins", True)["layout"]["annotations"])
    assert "signal, margin 96%" in text
    assert "attack, margin 84%" in text


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        energy_figure(ENERGY.T, NAMES, ATTACKS, 1.0)
    with pytest.raises(ValueError, match="limit"):
        energy_figure(ENERGY, NAMES, ATTACKS, 0.0)
    with pytest.raises(ValueError, match="finite"):
        residual_figure(ENERGY * math.nan, NAMES, ATTACKS)
    with pytest.raises(ValueError, match="finite"):
        probability_figure(CERTAIN * math.inf, None, NAMES)
    with pytest.raises(ValueError, match="4 steps"):
        loss_figure(KS, [1.0], [1.0], 200)
    with pytest.raises(ValueError, match="4 steps"):
        mu_figure(KS, [1.0] * 5, "mu", 200)
    with pytest.raises(ValueError, match="no axis"):
        mu_figure([], [], "mu", 100, 101)
    with pytest.raises(ValueError, match="no colour"):
        probability_figure(CERTAIN, None, NAMES, "linfinity")


def test_names_of_classes_lean_and_digits_stand() -> None:
    for name in ("energies", "probabilities", "residuals", "margins"):
        digits, clothes = (_figure(f"{name}{which}", True) for which in ("", " of clothes"))
        axes = [drawn["layout"]["xaxis"] for drawn in (digits, clothes)]
        assert [axis["tickangle"] for axis in axes] == [0, -45]
        assert axes[1]["ticktext"][::9] == ["T-shirt", "boot"]
        assert clothes["layout"]["margin"]["b"] > digits["layout"]["margin"]["b"]
        assert "ankle boot" in json.dumps(clothes["data"]), "the whole name on hovering"
    notes = [
        _figure(name, True)["layout"]["annotations"][0]["text"]
        for name in ("residuals", "residuals of clothes")
    ]
    assert "(class 9, ℓ1)" in notes[0]
    assert "(boot, ℓ1)" in notes[1]
    assert _figure("margins of clothes", True)["layout"]["xaxis2"]["tickangle"] == 0


def test_an_unknown_attack_fades_the_bars_of_the_known_ones():
    chances = [0.9, 0.06, 0.03, 0.01]
    sure, unsure = (
        margin_figure(CERTAIN, chances, NAMES, (*ATTACKS, "none"), known=known)
        for known in (True, False)
    )
    assert [trace.marker.opacity for trace in sure.data] == [1, 1]
    assert unsure.data[0].marker.opacity == 1
    assert unsure.data[1].marker.opacity < 0.5
    assert "margin" in sure.layout.annotations[1].text
    assert unsure.layout.annotations[1].text == "attack: unknown; the nearest"
