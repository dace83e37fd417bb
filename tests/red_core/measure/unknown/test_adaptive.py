"""The adaptive attack: whose gradient it follows, whose seeds it never uses, and its budget."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from red_core.attacks.pgd import AttackSettings, attack_norm
from red_core.measure.unknown.adaptive import (
    REACH,
    adaptive_settings,
    ascend,
    craft_adaptive,
    rebuild_with,
)
from red_core.run.bundle import Bundle

SHAPE = (1, 3, 3)
SEEDS = [11, 12, 13]


class Reader(nn.Module):
    """Class 1 gains what class 0 loses, by the pixels' weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.linspace(-1, 1, 9)

    def forward(self, images: Tensor) -> Tensor:
        height = images.flatten(1) @ self.weights
        return torch.stack((-height, height), dim=1)


class Rebuild:
    """A stand-in for G(z(x')): x' with noise of its seed, far from differentiable."""

    def __init__(self, scale: float = 0.0) -> None:
        self.scale, self.seeds = scale, []

    def __call__(self, attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        self.seeds += list(seeds)
        noise = [torch.randn(SHAPE, generator=torch.Generator().manual_seed(s)) for s in seeds]
        return (attacked.detach() + self.scale * torch.stack(noise)).round(decimals=4)


def images() -> Tensor:
    return 0.45 + 0.1 * torch.rand(3, *SHAPE)


@pytest.mark.parametrize("kind", ["linf", "l2"])
def test_it_climbs_the_reader_at_the_reconstruction_to_the_ball(kind: str) -> None:
    """For a linear reader the worst x' of the ball is known."""
    clean, labels = images(), torch.tensor([1, 0, 1])
    eps = 0.1
    found = craft_adaptive(
        Rebuild(), Reader(), clean, labels, adaptive_settings(kind, eps, 20), SEEDS
    )
    uphill = torch.where(labels == 1, -1.0, 1.0)[:, None] * Reader().weights
    direction = uphill.sign() if kind == "linf" else uphill / uphill.norm(dim=1, keepdim=True)
    worst = clean + eps * direction.view_as(clean)
    # The middle weight is zero: no sign to follow there.
    torch.testing.assert_close(found, worst, atol=2e-3, rtol=0)


def test_an_exact_attack_follows_the_gradient_through_the_reconstruction() -> None:
    """A mirror is far from the identity: BPDA climbs the wrong way, its own gradient does not."""

    def mirrored(attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        return attacked.flip(-1, -2)

    clean, labels = images(), torch.tensor([1, 0, 1])
    settings = adaptive_settings("linf", 0.1, 10)
    through = craft_adaptive(mirrored, Reader(), clean, labels, settings, SEEDS, exact=True)
    blind = craft_adaptive(mirrored, Reader(), clean, labels, settings, SEEDS)
    uphill = torch.where(labels == 1, -1.0, 1.0)[:, None] * Reader().weights
    worst = clean + 0.1 * uphill.sign().view_as(clean).flip(-1, -2)
    torch.testing.assert_close(through, worst, atol=2e-3, rtol=0)
    assert blind.equal(clean), "every step lowers the loss: the clean image is the worst seen"


def test_the_attacker_never_draws_the_defenders_starts() -> None:
    rebuild = Rebuild(0.1)
    settings = AttackSettings("linf", 0.2, 0.05, 4)
    craft_adaptive(rebuild, Reader(), images(), torch.tensor([0, 1, 0]), settings, SEEDS, draws=3)
    assert len(rebuild.seeds) == 3 * (settings.steps + 1) * 3
    assert len(set(rebuild.seeds)) == len(rebuild.seeds), "every draw is a new one"
    assert not set(rebuild.seeds) & set(SEEDS)


def test_it_keeps_the_worst_it_saw_within_the_budget() -> None:
    """A reader that cannot be moved: the clean image is as bad as any, and is what is kept."""

    class Fixed(Reader):
        def forward(self, given: Tensor) -> Tensor:
            return super().forward(given) * 0 + torch.tensor([1.0, 0.0])

    clean, labels = images(), torch.tensor([0, 1, 0])
    settings = AttackSettings("l2", 0.3, 0.1, 3)
    assert craft_adaptive(Rebuild(), Fixed(), clean, labels, settings, SEEDS).equal(clean)
    moved = craft_adaptive(Rebuild(0.2), Reader(), clean, labels, settings, SEEDS)
    assert attack_norm(moved - clean, "l2").max() <= settings.eps * (1 + 1e-5)


def test_an_item_is_attacked_by_itself() -> None:
    clean, labels = images(), torch.tensor([0, 1, 0])
    settings = AttackSettings("linf", 0.2, 0.05, 4)
    together = craft_adaptive(Rebuild(0.1), Reader(), clean, labels, settings, SEEDS)
    alone = craft_adaptive(Rebuild(0.1), Reader(), clean[2:], labels[2:], settings, SEEDS[2:])
    torch.testing.assert_close(alone, together[2:])


@pytest.mark.parametrize("kind", ["linf", "l2"])
def test_a_step_stays_in_ball_and_box(kind: str) -> None:
    clean = torch.rand(4, *SHAPE)
    settings = AttackSettings(kind, 0.3, 5.0 if kind == "l2" else 0.9, 1)
    moved = ascend(clean, torch.randn(4, *SHAPE), clean, settings)
    assert attack_norm(moved - clean, kind).max() <= 0.3 + 1e-6
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_the_settings_cross_the_ball_and_another_norm_is_refused() -> None:
    settings = adaptive_settings("l2", 2.0, 10)
    assert settings.step_size * settings.steps == pytest.approx(REACH * 2.0)
    with pytest.raises(ValueError, match="no adaptive attack in l1"):
        craft_adaptive(
            Rebuild(),
            Reader(),
            images(),
            torch.zeros(3).long(),
            AttackSettings("l1", 1, 1, 1),
            SEEDS,
        )


def test_the_reconstruction_is_the_presets_own(toy_bundle: Bundle, monkeypatch) -> None:
    from dataclasses import replace

    from red_core.algorithm import presets
    from red_core.algorithm.batch import run_to_end
    from red_core.run.experiment import begin_run

    few = replace(presets.PRESETS["best"], start_steps=1, steps=2, restarts=2)
    monkeypatch.setitem(presets.PRESETS, "best", few)
    attacked = toy_bundle.examples.images[:2]
    rebuilt = rebuild_with(toy_bundle, "best")(attacked, [1, 2])
    torch.testing.assert_close(
        rebuilt, run_to_end(*begin_run(toy_bundle, attacked, few, [1, 2]), few).image
    )
