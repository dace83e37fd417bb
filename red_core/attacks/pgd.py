"""PGD attacks through AdverTorch, with the paper's settings (B.2) by name.

The paper's "l1 PGD" is AdverTorch's sparse l1 descent (l1_sparsity 0.95): its plain `L1PGDAttack`
steps on one pixel at a time and is far weaker. We call the library's `perturb_iterative` itself,
because its attack classes draw the random start of a whole batch from the global seed; here every
image has its own, so that its attack does not depend on its neighbours. The loss is the
cross-entropy, in a form that keeps its direction where psi is sure (`losses.attack_loss`).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from red_core.attacks.losses import Loss, attack_loss
from red_core.compat import ensure_advertorch

Watch = Callable[[int, Tensor, Tensor], None]
"""What an attack reports: steps done, x + delta [B, C, H, W], the network's logits [B, classes]."""

ATTACKS = ("linf", "l2", "l1")
_ORDER = {"linf": np.inf, "l2": 2, "l1": 1}
L1_SPARSITY = 0.95
TOLERANCE = 1e-5  # by which a crafted perturbation may miss its budget, beside rounding
MIN_EPS = 1e-6  # below, pixels in float32 hardly move, and AdverTorch's l1 projection fails
_ROUNDING = 2.0**-24  # of x' - x, a pixel: x + delta was rounded, and the difference is
MAX_STEPS = 2000
_GLOBAL_GENERATOR = threading.Lock()
STILL_COSINE = 0.99  # with its random start: an attack that did not move


@dataclass(frozen=True)
class AttackSettings:
    """One PGD attack: `kind` in ATTACKS, radius eps, step size, number of steps; pixels in [0, 1].

    Raises ValueError, with a message for the user, where a value is out of range.

    >>> AttackSettings("l2", eps=2.0, step_size=0.1, steps=200).scaled(0.5).eps
    1.0
    """

    kind: str
    eps: float
    step_size: float
    steps: int

    def __post_init__(self) -> None:
        if self.kind not in ATTACKS:
            raise ValueError(f"unknown attack {self.kind!r}: choose {', '.join(ATTACKS)} or none")
        for name, value in (("eps", self.eps), ("step size", self.step_size)):
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"{name} must be a positive number, not {value}")
        if self.eps < MIN_EPS:
            raise ValueError(f"eps {self.eps:g} is below {MIN_EPS:g}, the least that moves pixels")
        limit = MAX_EPS[self.kind]
        if self.eps > limit:
            raise ValueError(f"eps {self.eps:g} is above {limit:g}, the most for {self.kind}")
        if self.step_size > limit:
            raise ValueError(f"step size {self.step_size:g} is above {limit:g}")
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"steps must lie between 1 and {MAX_STEPS}, not {self.steps}")

    def scaled(self, factor: float) -> AttackSettings:
        """The same attack at `factor` times eps and step size."""
        return replace(self, eps=self.eps * factor, step_size=self.step_size * factor)


# Beyond these an attack on [0, 1] images is no longer small in any sense: no grey image of 28 x 28
# can go further at all, and of CIFAR-10's 3,072 values every one would move by a half (l2) or a
# quarter (l1).
MAX_EPS = {"linf": 1.0, "l2": 28.0, "l1": 784.0}

# eps / step / iterations of B.2. Fashion-MNIST's are MNIST's.
_GREY_28 = {
    "linf": AttackSettings("linf", 0.3, 0.01, 100),
    "l2": AttackSettings("l2", 2.0, 0.1, 200),
    "l1": AttackSettings("l1", 10.0, 0.8, 100),
}
# B.2 prints eps = 0.05 for l2, which is the step size; Table 2 has 0.5.
_COLOUR_32 = {
    "linf": AttackSettings("linf", 0.03, 0.003, 100),
    "l2": AttackSettings("l2", 0.5, 0.05, 200),
    "l1": AttackSettings("l1", 12.0, 1.0, 100),
}
PAPER_ATTACKS: dict[str, dict[str, AttackSettings]] = {
    "mnist": _GREY_28,
    "fashion": _GREY_28,
    "cifar10": _COLOUR_32,
}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's global generator as after `manual_seed(seed)`; it is as before afterwards.

    That generator is one for all threads, so only one of them is in here at a time.
    """
    with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def random_start(images: Tensor, settings: AttackSettings, seeds: Sequence[int]) -> Tensor:
    """AdverTorch's random start, item by item from the item's own seed; CPU noise on any device."""
    ensure_advertorch()
    from advertorch.attacks.utils import rand_init_delta

    starts = []
    for image, seed in zip(images.cpu(), seeds, strict=True):
        with seeded(seed):
            delta = torch.zeros_like(image[None])
            starts.append(
                rand_init_delta(
                    delta, image[None], _ORDER[settings.kind], float(settings.eps), 0.0, 1.0
                )
            )
    return torch.cat(starts).to(images.device)


def attack_norm(delta: Tensor, kind: str) -> Tensor:
    """The norm that `kind` bounds, per item: [B, ...] -> [B]."""
    return torch.linalg.vector_norm(delta.flatten(1), ord=_ORDER[kind], dim=1)


class _Watched:
    """A network that reports what it is asked: AdverTorch asks it once a step."""

    def __init__(self, model: nn.Module, watch: Watch) -> None:
        self._model, self._watch, self._step = model, watch, 0

    def __call__(self, images: Tensor) -> Tensor:
        logits: Tensor = self._model(images)
        self._watch(self._step, images.detach(), logits.detach())
        self._step += 1
        return logits


def craft(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    settings: AttackSettings,
    seeds: Sequence[int],
    targeted: bool = False,
    watch: Watch | None = None,
    loss: Loss = attack_loss,
) -> Tensor:
    """x' of images [B, C, H, W] in [0, 1]: PGD on `model`'s logits.

    labels: [B], the true classes, which the attack moves away from (or, where targeted, the
    classes it moves to); seeds: one per image, of the random start; watch: called before every
    step; loss: what it climbs (or, where targeted, descends). Returns [B, C, H, W].
    Raises ValueError for images out of range (and for l1 on mps, where AdverTorch's fails), and
    RuntimeError where a crafted perturbation exceeds its budget by more than TOLERANCE (it is
    measured every time).
    """
    ensure_advertorch()
    from advertorch.attacks.iterative_projected_gradient import perturb_iterative

    if not bool(torch.isfinite(images).all()) or images.min() < 0 or images.max() > 1:
        raise ValueError("images must be finite, with pixels in [0, 1]")
    if images.device.type == "mps" and settings.kind == "l1":
        raise ValueError("AdverTorch's l1 attack does not run on mps: choose the device cpu")
    images = images.contiguous()  # AdverTorch's l1 attack cannot read channels-last images
    frozen = [p for p in model.parameters() if p.requires_grad]
    for parameter in frozen:  # or their gradients would pile up step by step
        parameter.requires_grad_(False)
    try:
        with torch.enable_grad():
            attacked = perturb_iterative(
                images,
                labels,
                model if watch is None else _Watched(model, watch),
                nb_iter=settings.steps,
                eps=float(settings.eps),
                eps_iter=float(settings.step_size),
                loss_fn=lambda logits, truth: loss(logits, truth).sum(),
                delta_init=nn.Parameter(random_start(images, settings, seeds)),
                minimize=targeted,
                ord=_ORDER[settings.kind],
                clip_min=0.0,
                clip_max=1.0,
                l1_sparsity=L1_SPARSITY if settings.kind == "l1" else None,
            ).detach()
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
    verify_budget(images, attacked, settings)
    return attacked


@dataclass(frozen=True)
class AttackCheck:
    """What became of attacked images, item by item.

    fooled [B], bool: psi reads another class than the true one; still [B], bool: the perturbation
    is its own random start (cosine above STILL_COSINE), which is noise and no attack; share_of_eps
    [B]: its norm over eps.
    """

    fooled: Tensor
    still: Tensor
    share_of_eps: Tensor

    def shares(self) -> dict[str, float]:
        """`fooled` and `still` as shares of all, `share_of_eps` as mean and maximum."""
        return {
            "fooled": round(float(self.fooled.float().mean()), 4),
            "still": round(float(self.still.float().mean()), 4),
            "mean_share_of_eps": round(float(self.share_of_eps.mean()), 4),
            "largest_share_of_eps": round(float(self.share_of_eps.max()), 4),
        }


def check_attacks(
    model: nn.Module,
    images: Tensor,
    attacked: Tensor,
    labels: Tensor,
    settings: AttackSettings,
    seeds: Sequence[int],
) -> AttackCheck:
    """Did the attacks attack? Arguments as of `craft`; attacked [B, C, H, W] is its answer."""
    start = random_start(images, settings, seeds).flatten(1)
    delta = (attacked - images).flatten(1)
    with torch.no_grad():
        fooled = model(attacked).argmax(1) != labels
    alike = nn.functional.cosine_similarity(delta, start)
    return AttackCheck(
        fooled.cpu(),
        (alike > STILL_COSINE).cpu(),
        (attack_norm(attacked - images, settings.kind) / settings.eps).cpu(),
    )


def verify_budget(images: Tensor, attacked: Tensor, settings: AttackSettings) -> None:
    """Raise RuntimeError unless every ||x' - x|| <= eps and pixels lie in [0, 1].

    The norm may be above eps by TOLERANCE, and by what float32 rounds in all pixels together: n of
    them by 2^-24 each, whose norm is n^(1/p) 2^-24.
    """
    norm = float(attack_norm(attacked - images, settings.kind).max())
    rounding = _ROUNDING * images[0].numel() ** (1 / _ORDER[settings.kind])
    if norm > settings.eps * (1 + TOLERANCE) + TOLERANCE + rounding:
        raise RuntimeError(f"the {settings.kind} attack left its budget: {norm} > {settings.eps}")
    if attacked.min() < 0 or attacked.max() > 1:
        raise RuntimeError("the attack left the pixel range [0, 1]")
