from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pages.ui.compare.outcome import outcome_of
from pages.ui.compare.sweep import FACTORS, Sweep, base, strength
from pages.ui.live.compute_queue import FairLock
from red_core.attacks.pgd import attack_norm
from red_core.methods import Answers
from red_core.run.experiment import craft_example
from red_core.run.settings import RunSettings
from tests.pages.ui.compare.conftest import Fake, Slow, settled, until

SETTINGS = RunSettings(index=3, attack="linf", attack_steps=2)


@pytest.fixture
def sweep(parts, fakes, started):
    def begin(*keys: str, settings=SETTINGS, own=None, kept=None) -> Sweep:
        return started(Sweep(parts.bundle, settings, own, keys, {}, kept, FairLock()))

    return begin


def test_the_strengths_go_from_nothing_to_twice_the_papers() -> None:
    assert (FACTORS[0], FACTORS[4], FACTORS[-1], len(FACTORS)) == (0, 1, 2, 9)
    chosen = strength(replace(SETTINGS, eps=0.9), 0.5)
    assert (chosen.eps, chosen.step_size, chosen.attack_steps) == (0.15, 0.005, 2)
    for kind in ("linf", "l2", "l1"):
        for factor in FACTORS[1:]:
            strength(RunSettings(attack=kind), factor)  # within every limit
    with pytest.raises(ValueError, match="needs an attack"):
        base(RunSettings(attack="none"))


def test_every_strength_is_crafted_with_the_same_seed(sweep, parts) -> None:
    view = settled(sweep("fake"))
    assert view.state == "finished"
    clean = parts.bundle.examples.images[3][None]
    sizes = attack_norm(view.images - clean, "linf")
    assert float(sizes[0]) == 0
    for size, factor in zip(sizes.tolist(), FACTORS, strict=True):
        assert size <= factor * 0.3 + 1e-5
        assert size >= factor * 0.1
    once = craft_example(parts.bundle, SETTINGS).attacked
    # The paper's strength is the page's own image, up to a step of PGD: a gradient near zero may
    # change its sign where the strengths are crafted as one batch.
    assert float((view.images[4] - once[0]).abs().mean()) < 1e-3


def test_a_method_answers_all_strengths_as_one_batch(sweep, monkeypatch) -> None:
    sizes = []

    def classify(self, attacked, seeds, watch=None):
        sizes.append((len(attacked), len(set(seeds))))
        return Answers(signal=torch.tensor([3, 3, 3, 3, 5, 5, 3, 5, 5]))

    monkeypatch.setattr(Fake, "classify", classify)
    (row,) = settled(sweep("fake")).rows
    assert sizes == [(9, 1)]
    found = outcome_of(row, SETTINGS, 3)
    assert (found.breaks, found.recovers, found.named) == (4, True, None)
    assert found.eps_of(found.breaks) == "0.3"


def test_the_outcome_of_one_that_holds_and_names(sweep) -> None:
    rows = {row.key: row for row in settled(sweep("fake", "namer", "broken")).rows}
    found = outcome_of(rows["fake"], SETTINGS, 3)
    assert (found.breaks, found.recovers) == (None, False)
    assert found.named == 8, "at strength 0 there is no attack to name"
    assert found.reads
    namer = outcome_of(rows["namer"], SETTINGS, 3)
    assert (namer.reads, namer.breaks, namer.named) == (False, None, 0)
    broken = outcome_of(rows["broken"], SETTINGS, 3)
    assert (broken.said, broken.breaks) == ((), None)
    assert rows["broken"].status == "failed"


def test_without_a_known_class_a_change_counts(sweep, monkeypatch) -> None:
    answers = Answers(signal=torch.tensor([4, 4, 4, 6, 6, 4, 4, 4, 4]))
    monkeypatch.setattr(Fake, "classify", lambda *_args: answers)
    settings = RunSettings(source="own", attack="l2", attack_steps=2)
    view = settled(sweep("fake", settings=settings, own=torch.rand(1, 28, 28)))
    found = outcome_of(view.rows[0], settings, None)
    assert (found.breaks, found.recovers) == (3, True)
    assert {one.right_label for one in found.said} == {None}


def test_progress_is_told_and_a_stop_keeps_the_images(sweep, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.02)
    monkeypatch.setattr(Slow, "steps", 10**6)
    going = sweep("fake", "slow")
    until(going, lambda view: 0 < len(view.images) < 9 or view.crafted)
    view = until(going, lambda view: view.running is not None and view.running.step > 2)
    assert view.crafted
    going.stop()
    stopped = settled(going)
    assert [row.status for row in stopped.rows] == ["done", "stopped"]

    monkeypatch.setattr(Slow, "steps", 3)
    monkeypatch.setattr("pages.ui.compare.sweep.craft_example", None)  # nothing is crafted anew
    view = settled(sweep("fake", "slow", kept=stopped))
    assert view.rows[0] is stopped.rows[0]
    assert [row.status for row in view.rows] == ["done", "done"]
    assert torch.equal(view.images, stopped.images)
