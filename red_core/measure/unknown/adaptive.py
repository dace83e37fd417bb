"""The adaptive attacks: through the reconstruction, and through the encoder it begins with.

Athalye et al. 2018. The attacker knows G or D, D_a, the solver and the classifier of what is
recovered, but not the seed of the starts or of the noise, unless that is the same for all. A run of
the solver has no useful gradient in x'; G(z(x')) is close to x, so its gradient is taken for the
identity (BPDA): every step takes the reconstruction, and moves x' by the gradient there, averaged
over several draws of the starts (EOT). One purification has a gradient of its own, which is taken
instead where that is asked for. The other attack takes the encoder for the solver: G(E(x')) has a
gradient, costs no run, and is where `best` begins. Neither tries to look like a known attack, or
like none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import presets_of
from red_core.attacks.losses import attack_loss
from red_core.attacks.pgd import AttackSettings, verify_budget
from red_core.data.assets import AssetError
from red_core.methods.bsd_dp import DiffPure
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run
from red_core.run.settings import item_seed

STEPS, DRAWS = 20, 2
REACH = 2.5  # the steps together, over eps: enough to cross the ball (Madry et al. 2018)
Rebuild = Callable[[Tensor, Sequence[int]], Tensor]
"""G(z(x')) of images [B, C, H, W], given one seed an image for the random starts."""


def adaptive_settings(kind: str, eps: float, steps: int = STEPS) -> AttackSettings:
    """The budget of the paper's attack of that norm, in fewer and larger steps: each is dear."""
    return AttackSettings(kind, eps, REACH * eps / steps, steps)


def rebuild_with(bundle: Bundle, preset: str) -> Rebuild:
    """The reconstruction of a preset: G(z), or where D takes the place of G, the last D(x')."""
    options = presets_of(bundle.dataset)[preset]

    def rebuild(attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        problem, state = begin_run(bundle, attacked, options, seeds)
        return run_to_end(problem, state, options).image

    return rebuild


def purified_by(method: DiffPure) -> Rebuild:
    """One image as DiffPure purifies it, differentiable in x'."""

    def rebuild(attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        return method.purified(attacked, seeds).squeeze(1)

    return rebuild


class ThroughEncoder(nn.Module):
    """reader(G(E(x'))): images [B, C, H, W] -> logits, differentiable from end to end."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        if bundle.encoder is None:
            raise AssetError("encoder.safetensors is not made yet: `python -m red_core recipe`")
        self.encoder, self.generator = bundle.encoder, bundle.generator
        self.reader = bundle.readers.reader or bundle.psi

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes]."""
        guess = self.encoder(images)
        z = guess[0] if isinstance(guess, tuple) else guess  # a DCGAN's has a spread as well
        logits: Tensor = self.reader(self.generator(z))
        return logits


def craft_adaptive(
    rebuild: Rebuild,
    reader: nn.Module,
    images: Tensor,
    labels: Tensor,
    settings: AttackSettings,
    seeds: Sequence[int],
    draws: int = DRAWS,
    exact: bool = False,
) -> Tensor:
    """x' of images [B, C, H, W] in [0, 1], within eps in l-inf or l2.

    reader: the classifier of the reconstruction, frozen; labels: true classes [B]; seeds: one an
    image, from which the attacker's draws come (never the seed itself: that is the defender's);
    draws: reconstructions a step; exact: follow the gradient through `rebuild`, which must have
    one, instead of taking the reconstruction for the identity. Of all steps the x' with the highest
    loss is kept. Raises ValueError for another norm.
    """
    if settings.kind not in ("linf", "l2"):
        raise ValueError(f"no adaptive attack in {settings.kind}: choose linf or l2")
    truth = labels.repeat_interleave(draws)
    now, best = images, images
    highest = images.new_full((len(images),), -torch.inf)
    for step in range(settings.steps + 1):
        drawn = [
            item_seed(seed, 1 + step * draws + draw) for seed in seeds for draw in range(draws)
        ]
        repeated = now.repeat_interleave(draws, dim=0)
        with torch.enable_grad():
            if exact:
                leaf = repeated.requires_grad_()
                rebuilt = rebuild(leaf, drawn)
            else:
                with torch.no_grad():
                    rebuilt = rebuild(repeated, drawn)
                rebuilt = leaf = rebuilt.detach().requires_grad_()
            losses = attack_loss(reader(rebuilt), truth)
            (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        loss = losses.detach().unflatten(0, (-1, draws)).mean(1)
        better = loss > highest
        best = torch.where(better[:, None, None, None], now, best)
        highest = torch.where(better, loss, highest)
        if step < settings.steps:
            now = ascend(now, gradient.unflatten(0, (-1, draws)).mean(1), images, settings)
    verify_budget(images, best, settings)
    return best


def ascend(now: Tensor, gradient: Tensor, images: Tensor, settings: AttackSettings) -> Tensor:
    """One projected step: along the gradient's sign (l-inf) or direction (l2), in ball and box."""
    if settings.kind == "linf":
        moved = now + settings.step_size * gradient.sign()
        delta = (moved - images).clamp(-settings.eps, settings.eps)
    else:
        moved = now + settings.step_size * gradient / _length(gradient)
        delta = moved - images
        delta = delta * (settings.eps / _length(delta)).clamp_max(1.0)
    return (images + delta).clamp(0, 1)


def _length(rows: Tensor) -> Tensor:
    """The l2 norm of every item, to divide by: [B, C, H, W] -> [B, 1, 1, 1]."""
    norm = torch.linalg.vector_norm(rows.flatten(1), dim=1).clamp_min(1e-12)
    return norm[:, None, None, None]
