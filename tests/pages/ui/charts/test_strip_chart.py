from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest
import torch

from pages.ui.charts.compare_strip import StripCell, StripRow, strip_figure, strip_height
from pages.ui.compare.sweep import FACTORS
from pages.ui.look import theme
from pages.ui.widgets import pictures

PNG = pictures.picture(torch.rand(1, 28, 28), 2)
CELLS = [
    StripCell("7", place < 5, "linf" if place else "unknown", place > 1, f"at {place}")
    for place in range(9)
]
ROWS = [StripRow("CNN", "breaks at ε = 0.375", CELLS), StripRow("Later", "not run yet", [])]


def drawn(rows=ROWS, images=9, marked=1.0) -> dict:
    figure = strip_figure(FACTORS, 0.3, [PNG] * images, rows, marked)
    return json.loads(figure.to_json(validate=False))


def test_plotly_accepts_every_property() -> None:
    go.Figure(drawn())
    go.Figure(drawn([], 0, None))


def test_colours_have_partners_in_the_dark() -> None:
    figure = drawn()
    del figure["layout"]["images"]  # base64 has no colours
    text = json.dumps(figure)
    found = {part[:6] for part in text.split("#")[1:]}
    assert found <= {light[1:] for light in theme.DARK_OF}


def test_right_is_dark_wrong_is_light_and_unknown_between() -> None:
    unknown = StripCell("7", None, None, None, "")
    figure = drawn([StripRow("A", "", [*CELLS[:8], unknown])])
    values = figure["data"][0]["z"][0]
    assert values == [1, 1, 1, 1, 1, 0, 0, 0, 0.5]
    assert figure["data"][1]["textfont"]["color"][4:6] == [theme.LIGHT.background, theme.LIGHT.text]


def test_an_attack_answer_is_a_disc_of_its_hue_and_a_ring_where_wrong() -> None:
    marks = drawn()["data"][2]["marker"]
    assert marks["color"] == [theme.LIGHT.muted] + [theme.LIGHT.linf] * 8
    assert marks["symbol"] == ["circle-open"] * 2 + ["circle"] * 7
    silent = StripRow("B", "", [StripCell("7", True, None, None, "")] * 9)
    assert drawn([silent])["data"][2]["x"] == []


def test_nothing_jumps_when_answers_and_images_come() -> None:
    empty = [StripRow(row.title, "not run yet", []) for row in ROWS]
    before, after = drawn(empty, 0), drawn()
    for name in ("margin", "xaxis", "yaxis", "height"):
        assert before["layout"][name] == after["layout"][name]
    assert len(before["data"]) == len(after["data"])
    assert len(before["layout"]["annotations"]) == len(after["layout"]["annotations"])
    assert [note["y"] for note in before["layout"]["annotations"]] == [
        note["y"] for note in after["layout"]["annotations"]
    ]


def test_a_data_unit_is_a_pixel() -> None:
    for count in (1, 3, 12):
        layout = drawn([ROWS[0]] * count)["layout"]
        margin = layout["margin"]
        low, high = layout["yaxis"]["range"]
        assert strip_height(count) == margin["t"] + margin["b"] + low - high == layout["height"]


def test_a_strength_is_marked_where_it_lies() -> None:
    def frame(marked):
        shapes = [s for s in drawn(marked=marked)["layout"]["shapes"] if s["line"]["width"]]
        return [(s["x0"] + s["x1"]) / 2 for s in shapes]

    assert frame(1.0) == [4]
    assert frame(0.3) == pytest.approx([1.2])
    assert frame(2.5) == frame(None) == []


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="8 cells for 9"):
        drawn([StripRow("A", "", CELLS[:8])])
    with pytest.raises(ValueError, match="10 images"):
        drawn(images=10)
