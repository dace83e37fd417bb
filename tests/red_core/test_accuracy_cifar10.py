"""The shipped CIFAR-10 weights find what was planted, and undo real attacks on drawn pictures.

Half a minute on one core. On realizable instances, where x' = G(w*) + D_a c_a* with one active
block, `best` found class, attack and block of 9 of 9 by the paper's rules alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from red_core.attacks import ATTACKS
from red_core.batching import run_to_end
from red_core.bundle import Bundle, load_bundle
from red_core.experiment import deceive, make_solver
from red_core.presets import presets_of
from red_core.settings import RunSettings, item_seed
from red_core.verdict import judge

pytestmark = pytest.mark.timeout(600)  # a machine may be busy with other things


@pytest.fixture(scope="module")
def bundle() -> Iterator[Bundle]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RED_ASSETS", raising=False)  # the shipped files, whatever is being tried
        yield load_bundle("cifar10")


def test_class_attack_and_block_that_were_planted_are_found(bundle: Bundle) -> None:
    planted = [
        deceive(bundle, RunSettings("cifar10", source="realizable", attack=attack, seed=seed))
        for seed in (0, 2)
        for attack in ATTACKS
    ]
    attacked = torch.cat([made.attacked for made in planted])
    labels = torch.cat([made.labels for made in planted if made.labels is not None])
    attacks = torch.arange(len(ATTACKS)).repeat(2)
    seeds = [item_seed(number, 0) for number in range(len(planted))]
    solver = make_solver(bundle, attacked, presets_of("cifar10")["best"], seeds)
    problem, end = solver.problem, run_to_end(solver)
    verdict = judge(problem, end, bundle.paper_readers())
    block = labels * len(ATTACKS) + attacks
    assert len(set(labels.tolist())) > 1
    assert verdict.signal_label.equal(labels)
    assert verdict.block_label.equal(attacks)
    assert end.block_energy.flatten(1).argmax(1).equal(block)
    assert verdict.block_residuals.flatten(1).argmin(1).equal(block)
    found = torch.stack([d.truth[1][0] for d in planted if d.truth is not None])
    cosine = torch.cosine_similarity(
        problem.dictionary.combine(end.c_a), problem.dictionary.combine(found)
    )
    assert float(cosine.min()) > 0.5
