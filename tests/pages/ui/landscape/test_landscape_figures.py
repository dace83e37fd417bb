from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.ui.charts.landscape import (
    Basin,
    Mark,
    Relief,
    Ring,
    Trail,
    above_figure,
    above_trails,
    descent_figure,
    ring_traces,
    tall_figure,
    tall_trails,
)
from pages.ui.charts.landscape.relief import KINDS
from pages.ui.look import theme

SIDE = np.linspace(-2, 2, 49)
VALUES = SIDE[None, :] ** 2 + 0.5 * SIDE[:, None] ** 2  # 0 in the middle
NAMES = ("z₁", "z₂")
RELIEF = Relief(SIDE, SIDE, VALUES, NAMES)
LOGGED = Relief(SIDE, SIDE, VALUES, NAMES, log=True)
MARKS = [Mark(0.1 * i, 0.2, 0.5, kind, kind) for i, kind in enumerate(KINDS)]
STARTS = np.linspace(-2, 2, 25)
BASIN = Basin(
    STARTS,
    STARTS,
    (STARTS[:, None] > 0).astype(np.int64) * np.ones(25, np.int64),
    ("ends at z*", "ends elsewhere"),
    ("home", "trap"),
)
TURNS = np.linspace(0, 3, 30)
TRAIL = Trail(np.cos(TURNS), np.sin(TURNS), TURNS + 0.1, np.arange(30))
PLAIN: dict[str, Any] = {"template": {}}
LIMITS = (-2.0, 2.0, -2.0, 2.0)

# Each figure with data and without.
FIGURES: dict[str, tuple[Callable[[], go.Figure], Callable[[], go.Figure]]] = {
    "above": (
        lambda: above_figure(RELIEF, MARKS),
        lambda: above_figure(None, names=NAMES, limits=LIMITS),
    ),
    "basins": (
        lambda: above_figure(RELIEF, MARKS, BASIN),
        lambda: above_figure(None, names=NAMES, limits=LIMITS),
    ),
    "tall": (
        lambda: tall_figure(LOGGED, MARKS, BASIN),
        lambda: tall_figure(None, names=NAMES, limits=LIMITS),
    ),
    "descent": (
        lambda: descent_figure([(np.arange(3), np.array([1.0, 0.1, 0.0]))], cursor=1),
        lambda: descent_figure([]),
    ),
    "trails above": (
        lambda: theme.figure(above_trails([TRAIL, TRAIL]), PLAIN),
        lambda: theme.figure(above_trails([]), PLAIN),
    ),
    "tall trails": (
        lambda: theme.figure(tall_trails(RELIEF, [TRAIL, TRAIL]), PLAIN),
        lambda: theme.figure(tall_trails(RELIEF, []), PLAIN),
    ),
}
ALL = [(name, known) for name in FIGURES for known in (True, False)]


def drawn(name: str, known: bool) -> dict[str, Any]:
    return json.loads(FIGURES[name][0 if known else 1]().to_json(validate=False))


@pytest.mark.parametrize(("name", "known"), ALL)
def test_plotly_accepts_every_property(name: str, known: bool) -> None:
    go.Figure(drawn(name, known))  # raises ValueError for any it does not know


@pytest.mark.parametrize(("name", "known"), ALL)
def test_colours_have_partners_in_the_dark(name: str, known: bool) -> None:
    text = FIGURES[name][0 if known else 1]().to_json(validate=False)
    found = {part[:6] for part in text.split("#")[1:]}
    assert found <= {light[1:] for light in theme.DARK_OF}


@pytest.mark.parametrize("name", ["above", "basins", "descent"])
def test_nothing_jumps_when_the_data_come(name: str) -> None:
    known, empty = drawn(name, True)["layout"], drawn(name, False)["layout"]
    for part in ("margin", "xaxis"):
        assert known[part] == empty[part]
    assert len(known["annotations"]) == len(empty["annotations"])


def test_the_camera_and_the_box_are_the_same_before_and_after() -> None:
    known, empty = drawn("tall", True)["layout"], drawn("tall", False)["layout"]
    assert known["uirevision"] == empty["uirevision"]
    for part in ("camera", "aspectratio", "aspectmode"):
        assert known["scene"][part] == empty["scene"][part]
    for axis in ("xaxis", "yaxis"):
        assert known["scene"][axis] == empty["scene"][axis]


def test_a_logarithm_ends_a_little_below_the_grid() -> None:
    positive = VALUES[VALUES > 0].min()
    low, high = LOGGED.span
    assert low == pytest.approx(math.log10(0.3 * positive))
    assert high == pytest.approx(math.log10(6))
    assert LOGGED.lift([0.0, 1e-30])[1] == low
    assert LOGGED.lift([100.0])[0] == 2
    assert np.isfinite(LOGGED.heights).all()
    assert RELIEF.span == (0, 6)


def test_a_flat_landscape_still_has_a_height() -> None:
    flat = Relief(SIDE, SIDE, np.zeros((49, 49)), NAMES, log=True)
    low, high = flat.span
    assert high > low
    go.Figure(json.loads(tall_figure(flat).to_json(validate=False)))


@pytest.mark.parametrize("bad", [VALUES[:5], VALUES * math.nan, VALUES - 1])
def test_heights_that_cannot_be_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"heights|values"):
        Relief(SIDE, SIDE, bad, NAMES)


def test_basins_keep_their_place_and_colour_on_a_finer_grid() -> None:
    fine = BASIN.at(SIDE, SIDE)
    assert fine.shape == (49, 49)
    assert set(fine[:24].ravel()) == {0}
    assert set(fine[26:].ravel()) == {1}
    shades = BASIN.shades(RELIEF)
    assert (np.floor(shades) == fine).all()
    assert shades[24, 24] == pytest.approx(0, abs=1e-6), "z* lies lowest of its ramp"
    figure = drawn("basins", True)
    scale = figure["data"][0]["colorscale"]
    assert [place for place, _ in scale] == sorted(place for place, _ in scale)
    assert scale[0] == [0, theme.LIGHT.valley]
    assert scale[-1][0] == 1
    key = figure["layout"]["annotations"][0]["text"]
    assert "ends elsewhere" in key
    assert "has not arrived" not in key


def test_paths_are_parted_and_their_points_say_which_they_are() -> None:
    halo, ink, starts, heads = above_trails([TRAIL, TRAIL], at=[4, 29])
    assert np.isnan(ink["x"][30])
    assert len(ink["x"]) == 62
    assert ink["customdata"][35].tolist() == pytest.approx([4, TRAIL.values[4], 2])
    assert halo["hoverinfo"] == "skip"
    assert starts["x"] == [1, 1]
    assert heads["x"] == pytest.approx([np.cos(TURNS[4]), np.cos(TURNS[29])])


def test_a_path_lies_on_its_ground() -> None:
    low, high = LOGGED.span
    on_ground = Trail(TRAIL.x, TRAIL.y, TRAIL.x**2 + 0.5 * TRAIL.y**2, TRAIL.ks)
    line, _ = tall_trails(LOGGED, [on_ground])
    assert len(line["x"]) > len(TRAIL.x) + 1, "between iterates that lie apart there is ground"
    ground = line["x"][:-1] ** 2 + 0.5 * line["y"][:-1] ** 2
    np.testing.assert_allclose(line["z"][:-1], np.log10(ground) + 0.012 * (high - low), atol=0.01)
    deep = Trail(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1, np.int64))
    assert low < tall_trails(LOGGED, [deep])[0]["z"][0] < low + 0.1


def test_a_gap_in_a_path_stays_one_on_the_ground() -> None:
    x, y = TRAIL.x.copy(), TRAIL.y.copy()
    x[10] = y[10] = np.nan
    line, _ = tall_trails(RELIEF, [Trail(x, y, TRAIL.values, TRAIL.ks)], [20], on_surface=True)
    assert np.isnan(line["z"]).sum() >= 2, "at the jump and at the end"
    finite = np.isfinite(line["z"])
    ground = line["x"][finite] ** 2 + 0.5 * line["y"][finite] ** 2
    np.testing.assert_allclose(line["z"][finite], ground + 0.012 * 6, atol=0.01)


def test_the_axis_of_steps_doubles() -> None:
    short, long = (
        descent_figure([(np.array([0, k]), np.array([1.0, 0.5]))]).to_dict()["layout"]["xaxis"]
        for k in (60, 300)
    )
    assert short["range"] == [0, 64]
    assert long["range"] == [0, 512]


def test_discs_are_drawn_around_their_centres() -> None:
    first, second = ring_traces([Ring(1.0, -2.0, 0.5, "near"), Ring(0.0, 0.0, 90.0, "far")])
    away = np.hypot(first["x"] - 1.0, first["y"] + 2.0)
    np.testing.assert_allclose(away, 0.5, rtol=1e-5)
    assert float(np.abs(second["x"]).max()) > 89, "larger than the plane: it covers all of it"
    drawn = above_figure(RELIEF, MARKS, over=ring_traces([Ring(0.0, 0.0, 1.0, "a disc")]))
    assert [trace.name for trace in drawn.data][-1] == "a disc"


def test_the_quotient_has_a_name_of_its_own() -> None:
    assert Relief(SIDE, SIDE, VALUES, NAMES, log=True, what="g").title == "log₁₀ g"
    assert RELIEF.title == "f"
