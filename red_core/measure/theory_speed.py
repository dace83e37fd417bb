"""Speed of the theory lab, a ratio within one run: all instances at once, or one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import torch
from tqdm import tqdm

from red_core.measure.result_store import Key, result_key
from red_core.measure.speed import timed
from red_core.measure.studies import FIGURE_1, Study, expansiveness
from red_core.measure.theory_keys import study_values
from red_core.run.code_digest import code_digest
from red_core.run.provenance import provenance
from red_core.synthetic import make_instances
from red_core.theory.descent import descend, step_sizes

CPU = torch.device("cpu")
STEPS, TOLERANCE = 300, 1e-12  # so that no instance arrives early on either side


def theory_speed(study: Study = FIGURE_1, turns: int = 5, singles: int = 2) -> dict[str, Any]:
    """batch_ratio: the batch's throughput over a loop's; figure1_seconds: of the whole figure.

    Timed in turn, A B A B, at the study's own m; `singles` instances a turn stand for the loop.
    """
    instances = make_instances(study.settings, study.networks)
    eta = step_sizes(instances)[study.step]
    options = replace(study.options, steps=STEPS, tolerance=TOLERANCE)

    def one(item: int) -> None:
        chosen = torch.tensor([item])
        descend(instances.take(chosen), options, eta[chosen], study.every)

    ratios = []
    one(0)
    for turn in tqdm(range(turns), desc="theory", unit="turn"):
        together, _ = timed(lambda: descend(instances, options, eta, study.every), CPU)
        alone = [timed(partial(one, i), CPU)[0] for i in _items(turn, singles, len(instances))]
        ratios.append(median(alone) * len(instances) / together)
    seconds, _ = timed(lambda: list(expansiveness(study)), CPU)
    return {
        "batch_ratio": median(ratios),
        "batch_ratios": ratios,
        "instances": len(instances),
        "figure1_seconds": seconds,
        "key": theory_speed_key(),
        "provenance": provenance(CPU),
    }


def theory_speed_key() -> Key:
    """The key of a report, of Figure 1's study."""
    values = {"study": study_values(FIGURE_1), "steps": STEPS, "tolerance": TOLERANCE}
    return result_key([code_digest(__name__)], values, None)


def _items(turn: int, singles: int, count: int) -> Iterator[int]:
    return ((turn * singles + i) % count for i in range(singles))
