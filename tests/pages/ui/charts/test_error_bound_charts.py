from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.ui.charts.angles import angle_figure
from pages.ui.charts.bound import bound_figure
from pages.ui.charts.cocoercivity import cocoercivity_figure
from pages.ui.charts.convergence import convergence_figure
from pages.ui.charts.examples_chart import Stated, examples_figure
from pages.ui.charts.expansiveness import expansiveness_figure
from pages.ui.charts.histogram import mu_histogram
from pages.ui.charts.interval import StepSizes, interval_figure
from pages.ui.charts.rate_panels import rate_panels
from pages.ui.charts.rates import Rates, rates_figure
from pages.ui.charts.strands import MAX_VERTICES, axis_end, median, thin
from pages.ui.look import theme
from red_core.theory.rate_dependence import rate_dependence

KS = [0, 10, 20, 30]
PATHS = 10.0 ** -np.array([[0, 0.5], [1, 1.5], [2, 3], [4, 5]])
EMPTY = np.empty((0, 2))
SIZES = [20, 50, 100, 200, 500]
STATED = [Stated("Example 15", 2.17, 0.9, 1.0), Stated("Example 17", 0.64)]
STEPS = StepSizes(
    eta=[0.1, 0.2, 0.3],
    low=[0.05, math.nan, 0.0],
    high=[0.4, math.nan, 0.5],
    rho_limit=[0.5, 0.6, 0.5],
    epsilon_limit=[2.0, 0.01, math.inf],
)

# Each figure with data and without.
FIGURES: dict[str, tuple[Callable[[], go.Figure], Callable[[], go.Figure]]] = {
    "convergence": (
        lambda: convergence_figure(
            KS,
            PATHS,
            "distance",
            bounds=[("Theorem 3", [1, 0.9, 0.8, 0.7]), ("one layer", [1, 0.5, 0.2, 0.1])],
            level_at=1e-5,
            parts=[("z", PATHS)],
        ),
        lambda: convergence_figure([], EMPTY, "distance"),
    ),
    "bound": (
        lambda: bound_figure(KS, PATHS, mu_row=2 * PATHS, floor=(1e-6, "floor"), paper=2.17),
        lambda: bound_figure([], EMPTY),
    ),
    "histogram": (lambda: mu_histogram(PATHS, PATHS[1], 0.3), lambda: mu_histogram([])),
    "interval": (lambda: interval_figure(STEPS, 3), lambda: interval_figure(None, 3)),
    "rates": (
        lambda: rates_figure(Rates([0.99, math.nan], [0.98, 1.2], [0.9, 0.8], [0.7, 0.8]), 2),
        lambda: rates_figure(None, 2),
    ),
    "cocoercivity": (
        lambda: cocoercivity_figure(KS, 30 * PATHS, 12 * PATHS - 1),
        lambda: cocoercivity_figure([], EMPTY, EMPTY),
    ),
    "dependence": (
        lambda: rate_panels(rate_dependence(1.0, 3.0, 0.02)),
        lambda: rate_panels(None),
    ),
    "angles": (lambda: angle_figure(np.eye(4)), lambda: angle_figure(None)),
    "expansiveness": (
        lambda: expansiveness_figure(
            SIZES, [0.1, 0.3, 0.42], [0.02, 0.1, 0.1], [1, 1, 0.5], [0.1, 0.2, 0.3, 0.4, 0.5]
        ),
        lambda: expansiveness_figure(SIZES, [], [], []),
    ),
    "examples": (
        lambda: examples_figure(STATED),
        lambda: examples_figure([Stated(row.name, row.paper) for row in STATED]),
    ),
}
ALL = [(name, known) for name in FIGURES for known in (True, False)]


def _figure(name: str, known: bool) -> dict[str, Any]:
    drawn = FIGURES[name][0 if known else 1]()
    return json.loads(drawn.to_json(validate=False))


def _key(figure: go.Figure) -> str:
    return str(figure.to_dict()["layout"]["annotations"][0]["text"])


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
    for axis in ("xaxis", "yaxis"):
        assert known[axis].get("title") == empty[axis].get("title")
    assert len(known["annotations"]) == len(empty["annotations"]) == 1


def test_the_fit_is_drawn_beside_the_means_and_named() -> None:
    fitted = [0.1, 0.2, 0.4, 0.7, 1.2]
    drawn = expansiveness_figure(SIZES, [0.1] * 5, [0.01] * 5, [1.0] * 5, fitted)
    assert list(drawn.data[0].y) == fitted
    assert "power law" in _key(drawn)
    assert drawn.layout.yaxis.range[1] >= 1.2, "the fit is within the axis"
    assert "power law" not in _key(expansiveness_figure(SIZES, [0.1] * 5, [0.01] * 5, [1.0] * 5))
    with pytest.raises(ValueError, match="each m"):
        expansiveness_figure(SIZES, [], [], [], [1.0])


def test_both_sides_of_lemma_9_share_an_axis_that_holds_them() -> None:
    drawn = cocoercivity_figure(KS, 30 * PATHS, 12 * PATHS - 1)
    low, high = drawn.layout.yaxis.range
    assert low <= -1
    assert high >= 30
    with pytest.raises(ValueError, match="each of 4 k"):
        cocoercivity_figure(KS, PATHS, PATHS[:2])


def test_the_three_panels_change_one_constant_each() -> None:
    found = rate_dependence(1.0, 3.0, 0.02)
    drawn = rate_panels(found)
    lines, dots = drawn.data[::2], drawn.data[1::2]
    assert [trace.xaxis for trace in lines] == ["x", "x2", "x3"]
    assert [dot.x[0] for dot in dots] == [1.0, 1.0, found.share]
    for trace, values in zip(
        lines, (found.over_mu, found.over_rho, found.over_epsilon), strict=True
    ):
        np.testing.assert_allclose(trace.y, 1 - values.numpy())


def test_every_instance_is_a_line_of_its_own() -> None:
    trace = thin(KS, PATHS, "#000000")
    assert trace["x"].tolist() == [*KS, 0, *KS, 0]
    np.testing.assert_allclose(trace["y"][:4], PATHS[:, 0], rtol=1e-6)
    assert math.isnan(trace["y"][4])
    np.testing.assert_allclose(trace["y"][5:9], PATHS[:, 1], rtol=1e-6)


def test_many_long_lines_are_thinned_and_keep_their_ends() -> None:
    ks = list(range(1001))
    trace = thin(ks, np.ones((1001, 100)), "#000000")
    assert len(trace["x"]) <= 1.1 * MAX_VERTICES
    assert trace["x"][0] == 0
    assert 1000 in trace["x"]


def test_the_median_is_of_those_that_have_a_value() -> None:
    paths = np.array([[1.0, 3.0, math.nan], [math.nan] * 3, [5.0, math.nan, math.nan]])
    np.testing.assert_array_equal(median(paths), [2.0, math.nan, 5.0])


@pytest.mark.parametrize(
    ("k", "end"), [(0, 50), (50, 50), (51, 100), (101, 200), (201, 500), (20_000, 20_000)]
)
def test_the_axis_of_steps_grows_rarely(k: int, end: int) -> None:
    assert axis_end(k) == end


def test_a_bound_stands_beside_the_lines_only_where_there_is_one() -> None:
    promised = convergence_figure(KS, PATHS, "distance", bounds=[("Theorem 3", [1, 0.5, 0.2, 0.1])])
    assert "Theorem 3" in _key(promised)
    np.testing.assert_allclose(promised.data[-1].y, [1, 0.5, 0.2, 0.1], rtol=1e-6)
    silent = convergence_figure(KS, PATHS, "distance")
    assert "Theorem" not in _key(silent)
    assert len(silent.data) == 2


def test_the_log_axis_stops_at_the_deepest_decade() -> None:
    drawn = convergence_figure(KS, PATHS * 1e-12, "distance", deepest=-9).to_dict()
    assert drawn["layout"]["yaxis"]["range"] == [-9, 1]


def test_the_smallest_mu_and_the_floor_are_marked() -> None:
    drawn = bound_figure(KS, PATHS, floor=(1e-6, "the floor"), paper=2.17)
    heights = [shape["y0"] for shape in drawn.to_dict()["layout"]["shapes"]]
    assert heights == pytest.approx([1e-5, 1e-6, 2.17])
    assert "the floor" in _key(drawn)
    assert "the paper's mean" in _key(drawn)


@pytest.mark.parametrize("floor", [None, 0.0, math.nan])
def test_a_floor_that_says_nothing_is_not_drawn(floor: float | None) -> None:
    drawn = bound_figure(KS, PATHS, floor=None if floor is None else (floor, "the floor"))
    assert "the floor" not in _key(drawn)


def test_the_histogram_holds_every_value_once() -> None:
    bars, rug = mu_histogram(np.append(PATHS, math.nan), PATHS[0], 0.2).data
    assert float(np.sum(bars.y)) == pytest.approx(1.0)
    np.testing.assert_allclose(rug.x, np.log10(PATHS[0]), rtol=1e-6)


def test_only_rows_with_an_interval_have_a_bar() -> None:
    drawn = interval_figure(STEPS, 3)
    bars = drawn.data[0]
    assert bars.y.tolist() == [0, 0, 0, 2, 2, 2]
    assert bars.x[0] == pytest.approx(0.05)
    # epsilon = 0: the interval begins at 0, left of the axis.
    assert math.log10(bars.x[3]) < drawn.to_dict()["layout"]["xaxis"]["range"][0]
    assert drawn.data[-1].x.tolist() == [0.1, 0.2, 0.3]


def test_a_far_limit_does_not_stretch_the_axis_of_step_sizes() -> None:
    far = StepSizes([0.1], [math.nan], [math.nan], [0.5], [1e12])
    assert interval_figure(far, 1).to_dict()["layout"]["xaxis"]["range"] == [-1, 0]


def test_progress_is_one_minus_the_factor() -> None:
    rates = Rates([0.99, 1.0], [math.nan, 0.98], [0.9, 0.8], [0.7, 0.8])
    span, promised, sharper, worst, _ = rates_figure(rates, 2).data
    np.testing.assert_allclose(promised.x, [0.01])
    np.testing.assert_allclose(sharper.x, [0.02])
    np.testing.assert_allclose(worst.x, [0.1, 0.2])
    np.testing.assert_allclose(span.x[:2], [0.01, 0.1])
    assert worst.y.tolist() == [0, 1]


def test_angles_of_two_orthogonal_rows_and_of_random_ones() -> None:
    half = np.array([[1.0, 0.0], [0.0, 1.0]] * 10)
    bars = angle_figure(half).data[0]
    assert bars.y[0] == pytest.approx(90 / 190)  # equal rows
    assert bars.y[18] == pytest.approx(100 / 190)  # 90 degrees, in the bin that begins there
    rows = np.random.default_rng(0).normal(size=(400, 6))
    drawn, expected = angle_figure(rows).data
    assert np.abs(drawn.y - expected.y).max() < 0.01


def test_the_places_of_all_m_are_kept_from_the_start() -> None:
    some, none = _figure("expansiveness", True), _figure("expansiveness", False)
    assert some["layout"]["xaxis"] == none["layout"]["xaxis"]
    assert some["layout"]["xaxis"]["ticktext"] == [str(m) for m in SIZES]
    # A round number above 0.42 + 0.1.
    assert some["layout"]["yaxis"]["range"] == pytest.approx([0, 0.6])


def test_the_papers_value_stands_there_before_ours() -> None:
    _, paper, ours = examples_figure(STATED).data
    assert paper.x.tolist() == [2.17, 0.64]
    assert ours.x[0] == pytest.approx(0.9)
    assert math.isnan(ours.x[1])
    assert "100% arrived" in ours.hovertext[0]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="4 k"):
        convergence_figure(KS, PATHS[:2], "distance")
    with pytest.raises(ValueError, match="4 steps"):
        convergence_figure(KS, PATHS, "distance", bounds=[("Theorem 3", [1.0])])
    with pytest.raises(ValueError, match="4 k"):
        bound_figure(KS, PATHS, mu_row=PATHS[:1])
    with pytest.raises(ValueError, match="2 values"):
        interval_figure(STEPS, 2)
    with pytest.raises(ValueError, match="3 values"):
        rates_figure(Rates([1], [1], [1], [1]), 3)
    with pytest.raises(ValueError, match="two rows"):
        angle_figure(np.ones((1, 3)))
    with pytest.raises(ValueError, match="equally many"):
        expansiveness_figure(SIZES, [1.0], [], [])
