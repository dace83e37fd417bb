"""The angles between blocks as a picture: a square a pair, its scale the largest of them."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.ui.charts.block_angles import block_angles
from pages.ui.look import theme

ATTACKS = ("linf", "l2", "l1")
NAMES = ("shirt", "bag")
APART = 0.04 * np.abs(np.subtract.outer(np.arange(6), np.arange(6)))


def test_every_pair_has_a_square_and_says_which_it_is() -> None:
    drawn = block_angles(APART, ATTACKS, NAMES)
    go.Figure(json.loads(drawn.to_json(validate=False)))
    (squares,) = drawn.data
    np.testing.assert_allclose(squares.z, APART, rtol=1e-6)
    assert squares.zmax == pytest.approx(0.2)
    assert squares.text[0][3] == "ℓ∞, shirt<br>ℓ2, bag"
    assert "0.20" in drawn.layout.annotations[0].text


def test_the_place_stays_while_nothing_is_known() -> None:
    empty, known = block_angles(None, ATTACKS, NAMES), block_angles(APART, ATTACKS, NAMES)
    assert not empty.data
    assert empty.layout.xaxis.range == known.layout.xaxis.range
    assert empty.layout.margin == known.layout.margin
    with pytest.raises(ValueError, match="6 x 6 blocks"):
        block_angles(APART[:3], ATTACKS, NAMES)


def test_its_colours_have_partners_in_the_dark() -> None:
    text = block_angles(APART, ATTACKS, NAMES).to_json(validate=False)
    assert {part[:6] for part in text.split("#")[1:]} <= {light[1:] for light in theme.DARK_OF}
