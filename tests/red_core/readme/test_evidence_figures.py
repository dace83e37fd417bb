"""The README's lines say what the files say."""

from red_core.measure.intervals import share
from red_core.readme.evidence_figures import render, render_assumption, render_unknown

SPAN = {"columns": 200, "rank": 198.0, "mean": 0.467, "quantiles": {}, "random": {"mean": 0.862}}
ASSUMED = {
    "dataset": "mnist",
    "n": 1000,
    "source": "MNIST test",
    "command": "python -m red_core assumption --dataset mnist --examples 1000 --seed 0",
    "titles": {"own": "its own block"},
    "classifiers": {
        "psi": {
            "title": "ψ",
            "attacks": {"linf": {"n": 1000, "spans": {"own": SPAN}, "nearer": share(990, 1000)}},
        }
    },
}
ENTRY = {
    "title": "patch",
    "group": "unseen",
    "family": None,
    "words": "a square",
    "n": 50,
    "source": "MNIST test",
    "norms": {"linf": 1.0, "l2": 4.7, "l1": 30.0},
    "psi": share(10, 50),
    "signal": share(30, 50),
    "unknown": share(40, 50),
    "answers": {"linf": 1, "l1": 9, "unknown": 40},
}
REPORT = {
    "dataset": "mnist",
    "threshold": {"wrongly_flagged": 0.01, "held_out_runs": 800},
    "attacks": {"patch": ENTRY},
}


def test_a_span_stands_beside_a_random_one() -> None:
    text = render_assumption(ASSUMED)
    assert "| its own block | 0.47 (0.86) |" in text
    assert "99.0 (98.2 to 99.5)" in text
    assert ASSUMED["command"] in text


def test_an_unseen_attack_in_a_line() -> None:
    text = render_unknown(REPORT)
    assert "all but 1% of 800 runs" in text
    line = next(line for line in text.splitlines() if line.startswith("| patch"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:3] == ["1.00, 4.70", "50"]
    assert cells[3].startswith("20.0 (")
    assert cells[4].startswith("60.0 (")
    assert cells[5].startswith("80.0 (")
    assert cells[6] == "l-inf 2, l1 18"
    assert "none of the known attacks" not in render_unknown({**REPORT, "threshold": None})


def test_every_table_is_a_table() -> None:
    for text in (render_assumption(ASSUMED), render_unknown(REPORT)):
        for block in text.split("\n\n")[1:]:
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_nothing_measured_nothing_said(toy_assets) -> None:
    assert render() == ""
