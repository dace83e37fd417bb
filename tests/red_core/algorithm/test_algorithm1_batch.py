"""A batch of B is B single runs, and the same starts give the same iterates."""

from dataclasses import replace

import pytest
import torch

from red_core.algorithm.observe import Iterate
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.z_steps import random_starts
from tests.red_core.stepping import Run

# Every preset's own choices, with fewer steps; `best` keeps its competition of starts.
SHORT = {
    "paper": replace(PRESETS["paper"], restarts=3, start_steps=15, steps=40),
    "paper-frozen": replace(PRESETS["paper-frozen"], restarts=3, start_steps=15, steps=40),
    "best": replace(
        PRESETS["best"],
        restarts=5,
        encoder_start=False,
        carry=5,
        start_steps=8,
        halve_at=(10, 20),
        steps=40,
    ),
}
SEEDS = [11, 12, 13, 14]


def path(instance, seeds: list[int], items: list[int], preset: str) -> list[Iterate]:
    options = SHORT[preset]
    starts = random_starts(seeds, options.restarts, 4).to(instance.z_star.dtype)
    return list(Run(instance.problem.take(torch.tensor(items)), starts, options).path())


@pytest.mark.parametrize("preset", SHORT)
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_a_batch_is_its_items_run_alone(make_instance, preset, dtype, within):
    instance = make_instance(items=4, widths=(4, 16, 30), dtype=dtype)
    together = path(instance, SEEDS, [0, 1, 2, 3], preset)
    for item, seed in enumerate(SEEDS):
        alone = path(instance, [seed], [item], preset)
        agree = 0
        for one, many in zip(alone, together, strict=True):
            torch.testing.assert_close(one.loss[0], many.loss[item], rtol=within, atol=within)
            if one.leader[0] != many.leader[item]:  # two starts that tie, up to rounding
                continue
            agree += 1
            for name in ("z", "c_a", "image", "loss", "lam", "gradient_norm", "prox_residual"):
                a, b = getattr(one, name)[0], getattr(many, name)[item]
                scale = max(1.0, float(a.norm()))
                assert float((a - b).norm()) <= within * scale, (name, one.k)
        assert agree >= 0.9 * len(alone)
        assert alone[-1].leader[0] == together[-1].leader[item]


def test_every_preset_really_runs_through_all_it_offers(make_instance):
    """Otherwise the test above would compare nothing."""
    instance = make_instance(items=4, widths=(4, 16, 30))
    for preset in SHORT:
        end = path(instance, SEEDS, [0, 1, 2, 3], preset)[-1]
        assert bool(end.block_energy.flatten(1).any(1).all()), preset
    leaders = {tuple(it.leader.tolist()) for it in path(instance, SEEDS, [0, 1, 2, 3], "best")}
    assert len(leaders) > 1


@pytest.mark.parametrize("preset", SHORT)
def test_the_same_seeds_give_the_same_iterates(make_instance, preset):
    instance = make_instance(items=4, widths=(4, 16, 30))
    one = path(instance, SEEDS, [0, 1, 2, 3], preset)
    torch.manual_seed(99)  # nothing global takes part
    other = path(instance, SEEDS, [0, 1, 2, 3], preset)
    assert len(one) == len(other) > 2
    for a, b in zip(one, other, strict=True):
        assert a.z.equal(b.z)
        assert a.c_a.equal(b.c_a)
    changed = path(instance, [s + 100 for s in SEEDS], [0, 1, 2, 3], preset)
    assert not one[-1].z.equal(changed[-1].z)
