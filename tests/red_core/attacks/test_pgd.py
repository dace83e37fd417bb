"""PGD: budgets and pixels hold, seeds are per image, settings out of range are refused."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from red_core.attacks import pgd as attacks
from red_core.attacks.losses import cross_entropy
from red_core.attacks.pgd import (
    ATTACKS,
    L1_SPARSITY,
    MAX_EPS,
    MIN_EPS,
    PAPER_ATTACKS,
    TOLERANCE,
    AttackSettings,
    attack_norm,
    check_attacks,
    craft,
    verify_budget,
)

relaxed = settings(deadline=None, max_examples=40)
# Strong enough to move the tiny network, small enough to stay in the budget's interior sometimes.
SETTINGS = {
    "linf": AttackSettings("linf", 0.2, 0.02, 10),
    "l2": AttackSettings("l2", 1.0, 0.1, 10),
    "l1": AttackSettings("l1", 5.0, 0.5, 10),
}


class TinyCNN(nn.Module):
    """A random network for images [B, C, H, W] of any size, with 4 classes."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.first = nn.Conv2d(channels, 6, 3, padding=1)
            self.last = nn.Linear(6 * 4, 4)

    def forward(self, images: Tensor) -> Tensor:
        hidden = F.adaptive_avg_pool2d(torch.tanh(4 * self.first(images)), 2)
        return 8 * self.last(hidden.flatten(1))


def pictures(count: int = 4, shape: tuple[int, ...] = (1, 10, 10), seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, *shape, generator=generator)
    # A third each of black, white and grey, so that the pixel range binds.
    return (3 * images - 1).clamp(0, 1)


def classes(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return model(images).argmax(1)


def loss(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return F.cross_entropy(model(images), labels, reduction="none")


@relaxed
@given(
    kind=st.sampled_from(ATTACKS),
    share=st.floats(0.001, 1.0),
    step=st.floats(0.01, 1.0),
    steps=st.integers(1, 6),
    shape=st.tuples(st.integers(1, 3), st.integers(6, 12), st.integers(6, 12)),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**31),
    targeted=st.booleans(),
)
def test_budget_and_pixels_hold(
    kind: str,
    share: float,
    step: float,
    steps: int,
    shape: tuple[int, int, int],
    count: int,
    seed: int,
    targeted: bool,
) -> None:
    eps = share * {"linf": 1.0, "l2": 5.0, "l1": 50.0}[kind]
    model, images = TinyCNN(shape[0]), pictures(count, shape, seed)
    attacked = craft(
        model,
        images,
        classes(model, images),
        AttackSettings(kind, eps, step * eps, steps),
        [seed + i for i in range(count)],
        targeted,
    )
    assert attacked.shape == images.shape
    assert attacked.dtype == images.dtype
    assert not attacked.requires_grad
    assert bool(torch.isfinite(attacked).all())
    assert 0 <= float(attacked.min()) <= float(attacked.max()) <= 1
    assert float(attack_norm(attacked - images, kind).max()) <= eps * (1 + TOLERANCE) + TOLERANCE


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_attack_raises_the_loss_of_the_truth(kind: str) -> None:
    model, images = TinyCNN(), pictures(8)
    labels = classes(model, images)
    attacked = craft(model, images, labels, SETTINGS[kind], range(8))
    assert bool((loss(model, attacked, labels) > loss(model, images, labels)).all())
    assert float((classes(model, attacked) != labels).float().mean()) > 0.3


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_targeted_attack_lowers_the_loss_of_its_target(kind: str) -> None:
    model, images = TinyCNN(), pictures(8)
    target = (classes(model, images) + 1) % 4
    attacked = craft(model, images, target, SETTINGS[kind], range(8), targeted=True)
    assert bool((loss(model, attacked, target) < loss(model, images, target)).all())


class Sure(nn.Module):
    """The tiny network's answers, so sure that in float32 each has the probability 1."""

    def __init__(self) -> None:
        super().__init__()
        self.network = TinyCNN()

    def forward(self, images: Tensor) -> Tensor:
        return 1e6 * self.network(images)


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_attack_on_a_network_that_is_sure_of_everything_still_moves(kind: str) -> None:
    sure, images = Sure(), pictures(8)
    labels = classes(sure, images)
    assert bool((sure(images).softmax(1).amax(1) == 1).all())
    attacked = craft(sure, images, labels, SETTINGS[kind], range(8))
    check = check_attacks(sure, images, attacked, labels, SETTINGS[kind], range(8))
    assert not bool(check.still.any())
    assert float(check.fooled.float().mean()) > 0.3
    if kind == "l2":  # AdverTorch's own, whose step divides by at least 1e-6
        stuck = craft(sure, images, labels, SETTINGS[kind], range(8), loss=cross_entropy)
        begun = images + attacks.random_start(images, SETTINGS[kind], range(8))
        right = classes(sure, begun) == labels
        assert int(right.sum()) > 3
        check = check_attacks(sure, images, stuck, labels, SETTINGS[kind], range(8))
        assert bool(check.still[right].all())


def test_the_check_tells_attacks_from_their_random_starts() -> None:
    model, images = TinyCNN(), pictures(4)
    labels, seeds, asked = classes(model, images), range(4), SETTINGS["l2"]
    attacked = craft(model, images, labels, asked, seeds)
    attacked[0] = (images + attacks.random_start(images, asked, seeds))[0]
    attacked[1] = images[1]
    check = check_attacks(model, images, attacked, labels, asked, seeds)
    assert check.still.tolist() == [True, False, False, False]
    assert torch.equal(check.fooled, classes(model, attacked) != labels)
    assert float(check.share_of_eps[1]) == 0
    assert torch.allclose(check.share_of_eps, attack_norm(attacked - images, "l2") / asked.eps)
    shares = check.shares()
    assert shares["still"] == 0.25
    assert shares["largest_share_of_eps"] <= 1 + TOLERANCE


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_batch_equals_single_runs(kind: str) -> None:
    model, images = TinyCNN(), pictures(5)
    labels = classes(model, images)
    seeds = [11, 5, 5, 1 << 40, 0]
    batch = craft(model, images, labels, SETTINGS[kind], seeds)
    for i, seed in enumerate(seeds):
        one = slice(i, i + 1)
        single = craft(model, images[one], labels[one], SETTINGS[kind], [seed])
        assert float((batch[one] - single).abs().max()) <= 1e-4


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_seed_decides_and_the_global_generator_is_left_alone(kind: str) -> None:
    model, images = TinyCNN(), pictures(2)
    labels = classes(model, images)
    few = AttackSettings(kind, SETTINGS[kind].eps, SETTINGS[kind].step_size, 1)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = craft(model, images, labels, few, [1, 2])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(craft(model, images, labels, few, [1, 2]), first)
    other = craft(model, images, labels, few, [1, 3])
    assert torch.equal(other[0], first[0])
    assert not torch.equal(other[1], first[1])


def test_threads_draw_from_the_global_generator_one_after_the_other() -> None:
    images, chosen = torch.rand(4, 1, 8, 8), PAPER_ATTACKS["mnist"]["l2"]
    expected = [attacks.random_start(images, chosen, range(n, n + 4)) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda n: attacks.random_start(images, chosen, range(n, n + 4)), range(40))
        )
    assert all(one.equal(other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_model_is_left_as_it_was(kind: str) -> None:
    model, images = TinyCNN(), pictures(2)
    model.first.weight.requires_grad_(False)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():  # a caller's no_grad does not stop the attack
        craft(model, images, classes(model, images), SETTINGS[kind], [0, 1])
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    assert flags.pop("first.weight") is False
    assert all(flags.values())
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_the_model_is_given_back_when_the_attack_fails() -> None:
    class Failing(TinyCNN):
        def forward(self, images: Tensor) -> Tensor:
            raise KeyError("on purpose")

    model = Failing()
    with pytest.raises(KeyError):
        craft(model, pictures(1), torch.tensor([0]), SETTINGS["l2"], [0])
    assert all(p.requires_grad for p in model.parameters())


def test_the_images_are_not_changed() -> None:
    model, images = TinyCNN(), pictures(2)
    kept = images.clone()
    craft(model, images, classes(model, images), SETTINGS["linf"], [0, 1])
    assert torch.equal(images, kept)
    assert not images.requires_grad


def test_an_l1_step_moves_few_pixels() -> None:
    """One step of sparse l1 descent touches 5% of the pixels, not one pixel and not all."""
    model, images = TinyCNN(), torch.full((3, 1, 20, 20), 0.5)
    labels = classes(model, images)
    # With step and start far inside the budget, neither projection nor clipping acts.
    generous = AttackSettings("l1", 20.0, 1.0, 1)
    start = attacks.random_start(images, generous, [0, 1, 2])
    assert float(attack_norm(start, "l1").max()) < 19
    assert float(start.abs().max()) < 0.45
    step = craft(model, images, labels, generous, [0, 1, 2]) - images - start
    moved = (step.flatten(1).abs() > 1e-6).sum(1)
    assert moved.tolist() == [round((1 - L1_SPARSITY) * 400)] * 3
    assert torch.allclose(attack_norm(step, "l1"), torch.ones(3), atol=1e-4)


def test_norms_are_those_of_their_names() -> None:
    delta = torch.tensor([[[[3.0, -4.0]]], [[[0.0, 1.0]]]])
    assert attack_norm(delta, "linf").tolist() == [4, 1]
    assert attack_norm(delta, "l2").tolist() == [5, 1]
    assert attack_norm(delta, "l1").tolist() == [7, 1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (("l0", 1.0, 0.1, 10), "unknown attack 'l0': choose linf, l2, l1 or none"),
        (("", 1.0, 0.1, 10), "unknown attack ''"),
        (("l2", -1.0, 0.1, 10), "eps must be a positive number, not -1.0"),
        (("l2", 0.0, 0.1, 10), "eps must be a positive number"),
        (("l2", math.nan, 0.1, 10), "eps must be a positive number, not nan"),
        (("l2", math.inf, 0.1, 10), "eps must be a positive number, not inf"),
        (("l2", 1.0, -0.1, 10), "step size must be a positive number, not -0.1"),
        (("l2", 1.0, math.nan, 10), "step size must be a positive number, not nan"),
        (("linf", 1.01, 0.1, 10), "eps 1.01 is above 1, the most for linf"),
        (("l2", 1e6, 0.1, 10), "eps 1e\\+06 is above 28, the most for l2"),
        (("l1", 785.0, 0.1, 10), "eps 785 is above 784"),
        (("linf", 0.3, 2.0, 10), "step size 2 is above 1"),
        (("linf", 0.3, 0.1, 0), "steps must lie between 1 and 2000, not 0"),
        (("linf", 0.3, 0.1, -5), "steps must lie between 1 and 2000, not -5"),
        (("linf", 0.3, 0.1, 2001), "steps must lie between 1 and 2000, not 2001"),
    ],
)
def test_a_bad_setting_is_refused(setting: tuple[str, float, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttackSettings(*setting)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.01, 1.01])
def test_bad_pixels_are_refused(bad: float) -> None:
    images = pictures(2)
    images[1, 0, 3, 3] = bad
    with pytest.raises(ValueError, match="finite, with pixels in"):
        craft(TinyCNN(), images, torch.tensor([0, 1]), SETTINGS["l2"], [0, 1])


@pytest.mark.parametrize("count", [1, 3])
def test_one_seed_per_image(count: int) -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        craft(TinyCNN(), pictures(2), torch.tensor([0, 1]), SETTINGS["l2"], range(count))


def test_a_broken_budget_is_seen() -> None:
    images = torch.full((2, 1, 4, 4), 0.5)
    for kind in ATTACKS:
        verify_budget(images, images, SETTINGS[kind])
    far = images.clone()
    far[1] += 0.4
    for kind in ATTACKS:
        with pytest.raises(RuntimeError, match="left its budget"):
            verify_budget(images, far, SETTINGS[kind])
    with pytest.raises(RuntimeError, match="pixel range"):
        verify_budget(images + 0.5, images + 0.51, SETTINGS["l2"])


@pytest.mark.parametrize("eps", [MIN_EPS, 1e-4, 0.02, 0.1, 1.0])
@pytest.mark.parametrize("kind", ATTACKS)
def test_small_budgets_of_large_images_hold(kind: str, eps: float) -> None:
    """3,072 values round 3,072 times: l1 was up to 5e-5 above its budget."""
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    labels = model(images).argmax(1)
    for step in (eps / 10, min(1.0, 100 * eps)):
        attacked = craft(model, images, labels, AttackSettings(kind, eps, step, 5), range(16))
        off = float(attack_norm(attacked - images, kind).max()) - eps
        assert off <= TOLERANCE * (1 + eps) + 3072 * 2.0**-24


def test_rounding_is_allowed_for_and_no_more() -> None:
    images = torch.full((1, 3, 32, 32), 0.5)
    for kind, power in (("linf", 0.0), ("l2", 0.5), ("l1", 1.0)):
        unit = 1 / 3072**power  # of each value, so that the norm is 1
        rounding = 2.0**-24 * 3072**power
        asked = AttackSettings(kind, 0.02, 0.01, 1)
        verify_budget(images, images + (0.02 + 0.5 * (rounding + 1e-5)) * unit, asked)
        with pytest.raises(RuntimeError, match="left its budget"):
            verify_budget(images, images + (0.02 + 4 * (rounding + 1e-5)) * unit, asked)


@pytest.mark.parametrize("eps", [1e-30, 1e-12, 1e-7])
@pytest.mark.parametrize("kind", ATTACKS)
def test_a_budget_that_moves_no_pixel_is_refused(kind: str, eps: float) -> None:
    with pytest.raises(ValueError, match=f"eps {eps:g} is below 1e-06, the least that moves"):
        AttackSettings(kind, eps, 0.1, 5)


def test_scaling_keeps_the_rest() -> None:
    half = SETTINGS["l2"].scaled(0.5)
    assert half == AttackSettings("l2", 0.5, 0.05, 10)
    with pytest.raises(ValueError, match="above"):
        SETTINGS["linf"].scaled(100)


def test_the_papers_settings_are_those_of_b2() -> None:
    table = {k: (s.kind, s.eps, s.step_size, s.steps) for k, s in PAPER_ATTACKS["mnist"].items()}
    assert table == {
        "linf": ("linf", 0.3, 0.01, 100),
        "l2": ("l2", 2.0, 0.1, 200),
        "l1": ("l1", 10.0, 0.8, 100),
    }
    assert all(s.eps <= MAX_EPS[k] for k, s in PAPER_ATTACKS["mnist"].items())
