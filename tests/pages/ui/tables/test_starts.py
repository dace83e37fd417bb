"""Where inversions end, from every class: the figures, the sentences and the section."""

from __future__ import annotations

import copy
import json
from typing import Any

import plotly.graph_objects as go
import pytest

from pages.ui.charts.starts import ended_figure, right_figure
from pages.ui.look import theme
from pages.ui.tables import section_starts
from red_core.data.datasets import CLASSES
from red_core.run.bundle import load_bundle
from red_core.run.prior import StylePrior
from tests.pages.ui.tables.test_page import codes, headlines, opened, said, well
from tests.pages.ui.tables.toys import keep_starts, toy_random_starts, toy_starts

NAMES = CLASSES["cifar10"]
TOY = toy_starts()
FIGURES = {
    "right": lambda: right_figure(TOY["right"], TOY["begun"], NAMES),
    "right, empty": lambda: right_figure(None, None, NAMES),
    "ended": lambda: ended_figure(TOY["ended"], TOY["seen"], NAMES),
    "ended, empty": lambda: ended_figure(None, None, NAMES),
}


def plain(drawn: go.Figure) -> dict[str, Any]:
    return json.loads(drawn.to_json(validate=False))


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_every_property(name: str):
    go.Figure(plain(FIGURES[name]()))  # raises ValueError for any it does not know


@pytest.mark.parametrize("name", FIGURES)
def test_colours_have_partners_in_the_dark(name: str):
    text = FIGURES[name]().to_json(validate=False)
    assert {part[:6] for part in text.split("#")[1:]} <= {light[1:] for light in theme.DARK_OF}


@pytest.mark.parametrize("name", ["right", "ended"])
def test_nothing_jumps_when_the_data_come(name: str):
    known, empty = (plain(FIGURES[one]())["layout"] for one in (name, f"{name}, empty"))
    for part in ("margin", "xaxis", "yaxis", "annotations"):
        assert known[part] == empty[part]


def test_a_cell_is_the_share_of_its_images_that_end_right():
    cells, written = plain(FIGURES["right"]())["data"]
    assert cells["z"][3][3] == 1
    assert cells["z"][3][5] == pytest.approx(0.8)
    assert cells["hovertext"][3][5] == (
        "the image shows a dog, started from a cat<br>4 of 5 inversions ended right (80.0%)"
    )
    assert sorted(set(written["text"])) == ["100", "80"]


def test_a_class_without_images_has_an_empty_column():
    right, begun = copy.deepcopy(TOY["right"]), copy.deepcopy(TOY["begun"])
    for row in (*right, *begun):
        row[2] = 0
    cells, written = plain(right_figure(right, begun, NAMES))["data"]
    assert [row[2] for row in cells["z"]] == [0] * 10
    assert cells["hovertext"][0][2] == "no image of a bird was inverted from an airplane"
    assert len(written["text"]) == 90


def test_what_stays_has_a_colour_of_its_own_and_psis_reading_a_frame():
    drawn = plain(FIGURES["ended"]())
    stayed, moved, written = drawn["data"]
    assert stayed["colorscale"][-1][1] == theme.LIGHT.pit
    assert moved["colorscale"][-1][1] == theme.LIGHT.signal
    for i in range(10):
        for j in range(10):
            assert (stayed["z"][i][j] is None) == (i != j)
            assert (moved["z"][i][j] is None) == (i == j)
    assert stayed["z"][4][4] == pytest.approx(14 / 50)
    assert moved["hovertext"][0][8] == (
        "started from an airplane: 4 of 50 ended as a ship (8.0%)<br>"
        "ψ reads the start itself, before any step, as an automobile"
    )
    assert stayed["hovertext"][0][0].startswith(
        "started from an airplane: 14 of 50 ended where they began (28.0%)"
    )
    assert sorted(set(written["text"])) == ["28", "8"]
    frames = drawn["layout"]["shapes"]
    at = [((one["x0"] + one["x1"]) / 2, (one["y0"] + one["y1"]) / 2) for one in frames]
    assert at == [pytest.approx(place) for place in [(1, 0), *((i, i) for i in range(1, 10))]]


def test_wrong_counts_are_refused():
    with pytest.raises(ValueError, match="shape"):
        right_figure(TOY["right"][:4], TOY["begun"], NAMES)
    with pytest.raises(ValueError, match="more inversions"):
        right_figure(TOY["right"], [[1] * 10] * 10, NAMES)
    with pytest.raises(ValueError, match="seen"):
        ended_figure(TOY["ended"], [0] * 9, NAMES)
    with pytest.raises(ValueError, match="seen"):
        ended_figure(TOY["ended"], [10] * 10, NAMES)


def test_the_line_changes_with_the_data():
    assert section_starts.headline(TOY) == (
        "From any class, 82% of the inversions end in the image's own class; "
        "20% stay where they began."
    )
    assert section_starts.headline(toy_starts(right=0, stayed=5)) == (
        "The start holds them: 100% of the inversions stay in the class they began in; "
        "10% end in the image's own."
    )
    assert section_starts.headline(None).endswith("?")


def test_psis_reading_of_the_starts_is_told():
    assert section_starts.read_at_start(TOY).endswith("; it reads airplane as car.")
    assert "9 of the 10" in section_starts.read_at_start(TOY)
    same = {**TOY, "seen": list(range(10))}
    assert "every start's own G(w)" in section_starts.read_at_start(same)


def test_a_style_generator_starts_from_every_class(toy_assets):
    for dataset in CLASSES:
        knows = isinstance(load_bundle(dataset).prior, StylePrior)
        assert knows == (dataset in section_starts.FROM_CLASSES)


def test_the_page_tells_how_to_measure(unmeasured):
    app = well(opened(dataset="cifar10"))
    assert section_starts.headline(None) in headlines(app)
    assert "python -m red_core starts --dataset cifar10 --examples 50 --keep" in codes(app)


def test_the_page_shows_the_measured_shares(unmeasured):
    keep_starts(TOY)
    app = well(opened(dataset="cifar10"))
    assert section_starts.headline(TOY) in headlines(app)
    assert "82.0% (" in said(app)
    assert "commit 0123456789ab, cpu." in said(app)
    assert not any("red_core starts" in code for code in codes(app))


def test_random_starts_have_a_section_of_the_same_kind(unmeasured):
    command = "python -m red_core starts --dataset mnist --examples 200"
    app = well(opened(dataset="mnist"))
    assert f"{command} --generator dcgan --attack linf --keep" in codes(app)
    keep_starts(toy_random_starts())
    app = well(opened(dataset="mnist"))
    assert (
        "50% of the inversions begin in the image's own class, 95% end in it; of the others, 10% "
        "stay where they began."
    ) in headlines(app)
    assert "each from one random z, generator dcgan, preset paper, 600 steps" in said(app)
    assert not any("red_core starts" in code for code in codes(app))


def test_a_report_from_before_the_counts_by_pair_is_drawn(unmeasured):
    keep_starts({name: value for name, value in TOY.items() if name != "begun"})
    app = well(opened(dataset="cifar10"))
    assert section_starts.headline(TOY) in headlines(app)


def test_a_report_of_another_shape_is_one_sentence(unmeasured):
    keep_starts({**TOY, "seen": [0]})
    app = opened(dataset="cifar10")
    assert not app.exception
    assert [error.value for error in app.error] == [
        "starts.json of cifar10 has not the shape it should have."
    ]
    assert section_starts.headline(None) in headlines(app)
