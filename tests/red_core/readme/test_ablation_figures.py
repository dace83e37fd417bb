"""The tables of `ablation.json` in docs/results.md."""

from red_core.measure.intervals import share
from red_core.measure.strengths import ablation_rows
from red_core.readme.ablation_figures import render


def report(right: int) -> dict:
    return {
        "n": 50,
        "settings": {"seed": 0},
        "psi_signal_accuracy": share(right, 50),
        "block_attack_accuracy": share(right + 5, 50),
    }


RIGHT = {"linf": 35, "l2": 40, "l1": 45}


def test_a_line_for_each_change_that_is_measured_whole() -> None:
    rows = {row.key: report(RIGHT[row.attack]) for row in ablation_rows("mnist")}
    del rows["paper-frozen/l2/1"]
    text = render({"mnist": rows, "fashion": {}})
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert not any("z frozen" in line for line in lines)
    assert len({line.count("|") for line in lines}) == 1
    (first,) = [line for line in lines if line.startswith("| `paper`, the paper's generator |")]
    cells = [cell.strip().partition("<br>")[0] for cell in first.strip("|").split("|")[1:]]
    assert cells == ["70.0", "80.0", "90.0", "80.0", "80.0", "90.0", "100.0", "90.0"]
    assert "`python -m red_core results --ablation --dataset mnist --examples 50 --seed 0`" in text


def test_nothing_measured_is_nothing_claimed() -> None:
    assert render({"mnist": {}, "fashion": {}}) == ""


def test_cifar10_has_changes_of_its_own() -> None:
    rows = {row.key: report(RIGHT[row.attack]) for row in ablation_rows("cifar10")}
    text = render({"cifar10": rows})
    assert "| `paper` | 70.0" in text
    assert "| w frozen after the start | 70.0" in text
    assert "generator" not in text
