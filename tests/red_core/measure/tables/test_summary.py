"""From answers to figures: what is counted."""

import pytest

from red_core.measure.intervals import share
from red_core.measure.tables import summarise
from red_core.measure.tables.means import mean_share


def test_shares_and_counts(record: dict) -> None:
    table = summarise(record)
    cell = table["blocks"]["psi"]["l2"]["cnn"]
    assert cell["signal"] == share(10, 20)
    assert cell["attack"] is None
    assert cell["attack_answers"] is None
    ours = table["blocks"]["psi"]["linf"]["bsd-gan-best"]
    assert ours["signal"] == share(19, 20)
    assert ours["attack"] == share(20, 20)
    assert ours["attack_answers"] == {"linf": 20}
    rules = table["blocks"]["psi"]["none"]["bsd-gan-best/rules"]
    assert rules["attack"] == share(0, 20)  # it never answers "none"
    assert table["blocks"]["psi"]["l1"]["bsd-gan-best"]["n"] == 10


def test_the_confusion_matrix_has_the_truth_down_the_side(record: dict) -> None:
    counts = summarise(record)["blocks"]["psi"]["linf"]["bsd-gan-best"]["signal_confusion"]
    assert len(counts) == 10
    assert counts[0][9] == 1
    assert counts[0][0] == 1
    assert all(counts[label][label] == 2 for label in range(1, 10))
    assert sum(map(sum, counts)) == 20


def test_what_stands_around_the_cells(record: dict) -> None:
    table = summarise(record)
    assert (table["table"], table["dataset"], table["n"]) == ("1", "mnist", 20)
    assert table["command"] == "python -m red_core evaluate --table 1"
    assert table["provenance"] == {"commit": "c", "device": "cpu"}
    assert table["missing"] == {"msd": "not there"}
    assert table["differences"] == {}


def test_means_are_of_the_images_that_all_attacks_have(record: dict) -> None:
    means = summarise(record)["means"]["psi"]
    assert means["cnn"]["signal"]["value"] == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert means["cnn"]["attack"] is None
    assert means["bsd-gan-best"]["n"] == 10
    right = [[False] + [True] * 9] * 3
    assert means["bsd-gan-best"]["signal"] == mean_share(right)
    del record["blocks"]["psi"]["l2"]["cnn"]
    assert "cnn" not in summarise(record)["means"]["psi"]


def test_the_overall_mean_holds_false_alarms_against_a_method(record: dict) -> None:
    """Always "l1" is right under a third of the attacks, and never on clean images."""
    psi = record["blocks"]["psi"]
    entry = psi["linf"]["bsd-gan-best"] | {"attack": "2" * 10, "n": 10, "signal": "0" * 10}
    for attack in ("linf", "l2", "l1", "none"):
        psi[attack]["bsd-gan-best"] = entry
    mean = summarise(record)["means"]["psi"]["bsd-gan-best"]
    assert mean["attack"]["value"] == pytest.approx(1 / 3)
    assert mean["overall"]["value"] == pytest.approx(1 / 4)
    del psi["none"]["bsd-gan-best"]
    assert summarise(record)["means"]["psi"]["bsd-gan-best"]["overall"] is None


def test_differences_are_of_the_same_images(record: dict) -> None:
    """Table 4: the kinked version right on 20, 15 of which the smooth one is right on too."""
    true = record["true"]
    cell = record["blocks"]["psi"]["linf"]["bsd-gan-best"]
    smooth = cell | {"signal": true[:15] + "00000", "attack": "0" * 20}
    pair = {
        "bsd-gan-best": cell | {"signal": true, "attack": "0" * 18 + "11"},
        "bsd-gan-best-smooth": smooth,
        "bsd-gan-paper": cell,
    }
    table = summarise(record | {"table": "4", "blocks": {"psi": {"linf": pair}}})
    assert set(table["differences"]["linf"]) == {"bsd-gan-best"}
    found = table["differences"]["linf"]["bsd-gan-best"]
    assert found["signal"]["value"] == pytest.approx(5 / 20)
    assert found["attack"]["value"] == pytest.approx(-2 / 20)
    assert found["signal"]["low"] < 0.25 < found["signal"]["high"]
    assert found["signal"]["n"] == 20
