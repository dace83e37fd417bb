"""The theory lab's benchmark: its keys, and that a batch is no slower than a loop."""

from dataclasses import replace

from red_core.measure.studies import FIGURE_1
from red_core.measure.theory_speed import theory_speed


def test_a_batch_beats_the_loop():
    study = replace(FIGURE_1, networks=2, sizes=(40, 80))
    speed = theory_speed(study, turns=2, singles=1)
    assert speed["instances"] == 20
    assert speed["batch_ratio"] > 1
    assert len(speed["batch_ratios"]) == 2
    assert speed["figure1_seconds"] > 0
