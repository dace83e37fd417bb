"""The README's theory figures say what the stored files say."""

import pytest

from red_core.measure.result_store import stored
from red_core.readme.theory_figures import FOLDER, PARTS, render


def kept() -> dict:
    return {part: stored(FOLDER, f"{part}.json") for part in PARTS}


def test_every_part_is_stored_with_its_command():
    for part, content in kept().items():
        assert content["command"] == f"python -m red_core theory {part}"
        assert content["numbers"]
        assert content["provenance"]["commit"]


def row(case: str, radius: float | None, share: float, held: bool = True, **more) -> dict:
    told = {"case": case, "activation": "tanh", "radius": radius, "instances": 10}
    return told | {
        "share_applies": share,
        "held": held,
        "tightness": 0.25 if share else None,
        **more,
    }


def test_a_survey_counts_descents_and_tells_of_a_broken_promise():
    rows = [row("one layer", 0.1, 0.8), row("one layer", None, 0.0)]
    text = render({"survey": {"numbers": rows, "command": "c"}})
    assert "| tanh | 80 / 0 |" in text
    assert "apply to 8 of 20 descents, and none of them did worse" in text
    assert "0.25 to 0.25 without an attack and not measured with one" in text
    rows.append(row("one layer", 1.0, 1.0, held=False))
    assert "1 rows broke it" in render({"survey": {"numbers": rows, "command": "c"}})


def test_a_figure_is_a_table():
    first = {
        "m": 50, "mu_mean": 0.12345, "mu_std": 0.01, "success_rate": 1.0, "instances": 7,
        "parameter": 0.2, "scale": "W times the root of 1/m", "success_means": "near",
    }  # fmt: skip
    text = render({"figure1": {"numbers": [first], "command": "c", "seconds": 3.0}})
    assert "| mean mu | 0.123 |" in text
    assert "7 instances each, leaky ReLU of slope 0.2" in text


def test_nothing_measured_is_nothing_claimed():
    assert render({}) == ""
    assert render({part: {} for part in PARTS}) == ""


@pytest.mark.parametrize("count", [1, 3])
def test_figure_2_counts_its_stationary_points(count):
    found = {"stationary": [{}] * count, "basins": "Of 9 starts 9 arrived."}
    text = render({"figure2": {"numbers": found, "command": "c"}})
    assert ("its only stationary point is z*" in text) == (count == 1)
