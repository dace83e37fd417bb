"""Checks of somebody's own classifier and generator, before a project uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import defense_gan
from red_core.algorithm.objective import evaluate
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.attacks.pgd import AttackSettings, check_attacks, craft
from red_core.data.datasets import ImageSet
from red_core.models.model_file import FixedBatch, ModelFileError
from red_core.recipes.common import accuracy
from red_core.run.prior import starts_from
from red_core.run.project import OwnClassifier, prior_of
from red_core.run.settings import item_seed

TOLERANCE = 1e-3  # relative, of logits that are computed again or in another batch
BETTER = 0.05  # accuracy: another input range must be so much better to be recommended
# Input ranges that classifiers are trained on, by channels: mean, std.
_RANGES: dict[int, tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]] = {
    1: (
        ((0.0,), (1.0,)),
        ((0.5,), (0.5,)),
        ((0.0,), (1 / 255,)),
        ((0.1307,), (0.3081,)),
        ((0.2860,), (0.3530,)),
    ),
    3: (
        ((0.0,), (1.0,)),
        ((0.5,), (0.5,)),
        ((0.0,), (1 / 255,)),
        ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
        ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
        ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
}
STILL_MOST = 0.2  # of a trial's attacks on a class may be their own random start
# An inversion of clean images by Defense-GAN (B.2), in the start phase alone.
INVERSION = SolverOptions(restarts=4, start_steps=200, start_rate=0.05, steps=1)
GOOD, USABLE = 0.9, 0.75  # shares of inverted images whose class psi still reads


def check_classifier(
    network: nn.Module,
    images: Tensor,
    classes: int,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
) -> OwnClassifier:
    """psi of a foreign network, checked on images [N >= 8, C, H, W] in [0, 1]; N as a batch.

    Raises ModelFileError, one sentence, for the first fault: inputs it does not take, another
    number of classes, values that are not finite, answers that change from call to call or with the
    batch, probabilities in the place of logits, no gradient in the image. A network that takes
    single images only is looped over (`FixedBatch`).
    """
    channels = images.shape[1]
    if any(len(values) not in (1, channels) for values in (mean, std)) or min(std) <= 0:
        raise ModelFileError(f"mean and std are 1 or {channels} numbers, and std is above 0")
    psi = OwnClassifier(network, mean, std).to(images.device)
    try:
        with torch.no_grad():
            alone = _call(psi, images[:1])
    except ModelFileError as error:
        shape = " x ".join(map(str, images.shape[1:]))
        raise ModelFileError(f"the classifier fails on images {shape}: {error}") from error
    if alone.shape != (1, classes):
        raise ModelFileError(
            f"the classifier answers one image with {list(alone.shape)}, "
            f"and logits [1, {classes}] are needed"
        )
    with torch.no_grad():
        try:
            several = [_call(psi, images[:size]) for size in (3, 8)]
        except ModelFileError:
            psi = OwnClassifier(FixedBatch(network, 1), mean, std).to(images.device)
            several = [_call(psi, images[:size]) for size in (3, 8)]
        again = _call(psi, images[:8])
    for size, logits in zip((3, 8), several, strict=True):
        if logits.shape != (size, classes):
            raise ModelFileError(
                f"the classifier answers {size} images with {list(logits.shape)}: its batch size "
                "seems to be fixed"
            )
    if not bool(several[1].isfinite().all()):
        raise ModelFileError("the classifier's logits are not finite")
    scale = float(several[1].abs().max())
    if float((again - several[1]).abs().max()) > TOLERANCE * scale:
        raise ModelFileError("the classifier answers the same images differently at every call")
    if float((several[1][:1] - alone).abs().max()) > TOLERANCE * scale:
        raise ModelFileError("the classifier's answer to one image depends on its neighbours")
    if bool((several[1] >= 0).all()) and bool(((several[1].sum(1) - 1).abs() < 1e-3).all()):
        raise ModelFileError(
            "the classifier returns probabilities: return logits, without the softmax"
        )
    _check_gradient(psi, images[:8], classes)
    return psi


def _call(psi: nn.Module, images: Tensor) -> Tensor:
    """Logits; whatever a stranger's code raises, as ModelFileError."""
    try:
        logits: Tensor = psi(images)
    except Exception as error:
        raise ModelFileError(" ".join(str(error).split())[:200]) from error
    return logits


def _check_gradient(psi: nn.Module, images: Tensor, classes: int) -> None:
    leaf = images.clone().requires_grad_()
    weights = torch.linspace(0.5, 1.5, classes, device=images.device)
    made = (psi(leaf) * weights).sum()  # of logits: a cross-entropy's may well underflow
    gradient = None
    if made.requires_grad:
        (gradient,) = torch.autograd.grad(made, leaf, allow_unused=True)
    if gradient is None or not bool(gradient.any()):
        raise ModelFileError("no gradient of the classifier's logits reaches the image")
    if not bool(gradient.isfinite().all()):
        raise ModelFileError("the gradient of the classifier's logits is not finite")


def check_range(psi: OwnClassifier, data: ImageSet) -> float:
    """psi's accuracy on images; ModelFileError where another input range reads clearly better."""
    mean, std = psi.mean.flatten().tolist(), psi.std.flatten().tolist()
    device = psi.mean.device.type
    right = accuracy(psi, data.images, data.labels, device)
    found, others = max(
        (
            accuracy(OwnClassifier(psi.network, *one).to(device), data.images, data.labels, device),
            one,
        )
        for one in _RANGES[data.images.shape[1]]
    )
    chance = 1 / len(data.labels.unique())
    if found > max(right, chance + BETTER) + BETTER:
        raise ModelFileError(
            f"the classifier is right on {right:.1%} of {len(data)} images with mean "
            f"{_numbers(mean)} and std {_numbers(std)}, and on {found:.1%} with "
            f"--mean {_numbers(others[0])} --std {_numbers(others[1])}: pass these"
        )
    if right < chance + 2 * BETTER:
        raise ModelFileError(
            f"the classifier is right on {right:.1%} of {len(data)} images, and guessing on "
            f"{chance:.1%}: check its input range and the order of its classes"
        )
    return right


def _numbers(values: tuple[float, ...] | list[float]) -> str:
    return ",".join(f"{value:.4g}" for value in values)


def check_attackable(
    psi: OwnClassifier, data: ImageSet, attacks: dict[str, AttackSettings], seed: int
) -> None:
    """Try every attack on a few images of every class, before a whole dictionary is crafted.

    Raises ModelFileError where more than STILL_MOST of a class's attacks do not move.
    """
    seeds = [item_seed(seed, index) for index in range(len(data))]
    for kind, settings in attacks.items():
        attacked = craft(psi, data.images, data.labels, settings, seeds)
        still = check_attacks(psi, data.images, attacked, data.labels, settings, seeds).still
        for label in data.labels.unique().tolist():
            share = float(still[data.labels.cpu() == label].float().mean())
            if share > STILL_MOST:
                raise ModelFileError(
                    f"{share:.0%} of the {kind} attacks on class {label} stay at their random "
                    "start: the classifier's logits have no gradient there"
                )


@dataclass(frozen=True)
class Fidelity:
    """How well G rebuilds clean images: mean l2 distance, and the share psi still reads right.

    before: the share that psi reads right of the images themselves; n: how many.
    """

    n: int
    distance: float
    right: float
    before: float

    @property
    def share(self) -> float:
        """right over before, the part of psi's accuracy that an inversion keeps."""
        return self.right / max(self.before, 1e-9)

    @property
    def usable(self) -> bool:
        """Whether a project may take G."""
        return self.share >= USABLE

    def words(self) -> str:
        """The verdict in a sentence."""
        figures = (
            f"{self.n} held-out images inverted at a mean l2 distance of {self.distance:.2f}; psi "
            f"reads {self.right:.0%} of the inversions right, and {self.before:.0%} of the images"
        )
        if self.share >= GOOD:
            return f"good enough: {figures}"
        if self.usable:
            return f"usable, with errors of its own: {figures}"
        return f"not good enough: {figures}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return {
            "images": self.n,
            "mean_l2_distance": round(self.distance, 4),
            "psi_accuracy_of_inversions": round(self.right, 4),
            "psi_accuracy_of_images": round(self.before, 4),
        }


def measure_generator(
    generator: nn.Module, psi: nn.Module, data: ImageSet, seed: int, device: torch.device
) -> Fidelity:
    """Invert clean images by Defense-GAN's start (B.2) alone, INVERSION, and read the results.

    data: held-out images, solved as one batch; the winner of the restarts is the one nearest x.
    """
    seeds = [item_seed(seed, index) for index in range(len(data))]
    images, labels = data.images.to(device), data.labels.to(device)
    no_attack = AttackDictionary.from_attacks(
        images.new_ones(1, 1, 1, images[0].numel()), ("none",)
    )
    problem = RedProblem(images, generator, no_attack)
    prior = prior_of(generator, None, device)
    starts, anchors = starts_from(prior, images, seeds, restarts=INVERSION.restarts)
    state = evaluate(problem, defense_gan(problem, starts, INVERSION, anchors), INVERSION)
    assert state.image is not None
    made = state.image[:, 0].view_as(images)
    with torch.no_grad():
        right = float((psi(made).argmax(1) == labels).float().mean())
        before = float((psi(images).argmax(1) == labels).float().mean())
    distance = torch.linalg.vector_norm((made - images).flatten(1), dim=1).mean()
    return Fidelity(len(data), float(distance), right, before)
