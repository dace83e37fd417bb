"""The public functions of the library, which `import red_core` offers by the same names.

Images are float32 tensors [B, C, H, W] with pixels in [0, 1]. A batch everywhere: an item's
answer depends on its own image and seed alone (up to rounding), not on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

import red_core.attacks.pgd as pgd
from red_core.algorithm.algorithm1 import solve
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.options import SolverOptions as Options
from red_core.algorithm.presets import DEFAULT_PRESET
from red_core.algorithm.presets import presets_of as presets
from red_core.algorithm.problem import AttackDictionary as Dictionary
from red_core.algorithm.problem import RedProblem as Problem
from red_core.algorithm.verdict import (
    Verdict,
    block_residuals,
    bsd_gan,
    bsd_gan_ad,
    judge,
)
from red_core.attacks.pgd import AttackSettings as Attack
from red_core.data.datasets import SHAPES, check_dataset
from red_core.run.bundle import Bundle, choose_device, load_bundle
from red_core.run.experiment import begin_run, readers_for
from red_core.run.project import load_project
from red_core.run.settings import item_seed

__all__ = [
    "Attack",
    "Bundle",
    "Dictionary",
    "Options",
    "Problem",
    "Undone",
    "block_residuals",
    "bsd_gan",
    "bsd_gan_ad",
    "craft",
    "judge",
    "load",
    "observe",
    "presets",
    "solve",
    "undo",
]


def load(
    dataset: str = "mnist",
    device: str | torch.device = "cpu",
    project: str | Path | None = None,
) -> Bundle:
    """The trained parts of a data set: psi, G, D_a, readers and example images, frozen.

    dataset: "mnist", "fashion" or "cifar10"; device: "cpu", "cuda", "mps" or "auto"; project: a
    folder that `python -m red_core project new` made, whose parts are loaded instead (its data set
    is its own), which runs the code that it holds. The files are read from the folder that the
    environment variable RED_ASSETS names, else from this checkout, else from the installed package,
    which carries MNIST's. Raises ValueError for an unknown data set, a device that is not there, or
    a folder that is no project; AssetError for a file that is missing or whose SHA-256 is not the
    manifest's.

    >>> parts = load("mnist")
    >>> tuple(parts.examples.images.shape[1:]), parts.class_names[7], parts.dictionary.attacks
    ((1, 28, 28), '7', ('linf', 'l2', 'l1'))
    """
    check_dataset(dataset)
    target = choose_device(device) if isinstance(device, str) else device
    return load_bundle(dataset, target) if project is None else load_project(project, target)


def craft(
    psi: nn.Module,
    images: Tensor,
    labels: Tensor,
    attack: str | Attack = "linf",
    seeds: Sequence[int] | None = None,
) -> Tensor:
    """x' of images: PGD on psi's cross-entropy, away from the labels (B.2, Madry et al. 2018).

    psi: images [B, C, H, W] -> logits [B, classes]; images [B, C, H, W] in [0, 1]; labels [B],
    int64; attack: "linf", "l2" or "l1" with the numbers of B.2 for images of this shape, or an
    `Attack` of your own; seeds: one an image, of the random start (default: 0, 1, 2, ...).
    Returns [B, C, H, W] in [0, 1] with ||x' - x|| <= eps in the attack's norm. Raises ValueError
    for an unknown attack, for images of a shape that B.2 has no numbers for (name an `Attack`),
    and for pixels that are not in [0, 1].

    >>> parts = load("mnist")
    >>> attacked = craft(parts.psi, parts.examples.images[:1], parts.examples.labels[:1], "linf")
    >>> f"{(attacked - parts.examples.images[:1]).abs().max():.2f}"
    '0.30'
    """
    settings = _paper_attack(attack, tuple(images.shape[1:])) if isinstance(attack, str) else attack
    return pgd.craft(psi, images, labels, settings, _seeds(seeds, len(images)))


def _paper_attack(kind: str, shape: tuple[int, ...]) -> Attack:
    """B.2's numbers for images of a shape; ValueError where there are none."""
    datasets = [name for name, known in SHAPES.items() if known == shape]
    if not datasets:
        raise ValueError(f"B.2 has no attack for images of shape {shape}: pass an Attack")
    known = pgd.PAPER_ATTACKS[datasets[0]]
    if kind not in known:
        raise ValueError(f"unknown attack {kind!r}: choose {', '.join(known)}")
    return known[kind]


def _seeds(seeds: Sequence[int] | None, count: int) -> list[int]:
    """The given seeds, or one an item; ValueError where their number is not `count`."""
    chosen = [item_seed(0, index) for index in range(count)] if seeds is None else list(seeds)
    if len(chosen) != count:
        raise ValueError(f"{count} images need as many seeds, not {len(chosen)}")
    return chosen


@dataclass(frozen=True)
class Undone:
    """What `undo` found for a batch: the problem it solved, the last iterate, and the verdict.

    >>> parts = load("mnist")
    >>> found = undo(parts, parts.examples.images[:1], "paper-frozen", start_steps=1, steps=1)
    >>> tuple(found.signal.shape), tuple(found.perturbation.shape), tuple(found.labels.shape)
    ((1, 1, 28, 28), (1, 1, 28, 28), (1,))
    """

    problem: Problem
    iterate: Iterate
    verdict: Verdict

    @property
    def signal(self) -> Tensor:
        """G(z), the recovered clean images [B, C, H, W] in [0, 1]."""
        return self.iterate.image

    @property
    def perturbation(self) -> Tensor:
        """D_a c_a, the recovered perturbations [B, C, H, W]."""
        return self.problem.observed - self.iterate.image - self.iterate.residual

    @property
    def labels(self) -> Tensor:
        """The classes of the clean signals [B], int64."""
        return self.verdict.signal_label

    @property
    def attacks(self) -> tuple[str, ...]:
        """The attack of each image: a name of `Dictionary.attacks`, "none" or "unknown"."""
        return tuple(self.verdict.attack_names[label] for label in self.verdict.attack_label)


def undo(
    parts: Bundle,
    attacked: Tensor,
    preset: str = DEFAULT_PRESET,
    *,
    seeds: Sequence[int] | None = None,
    watch: Callable[[], object] = lambda: None,
    **changes: float | int | str | bool,
) -> Undone:
    """Solve x' = G(z) + D_a c_a by Algorithm 1, and judge the end (Section 5.2, B.2).

    parts: of `load`; attacked: x' [B, C, H, W], finite, of the data set's shape; preset: a key of
    `presets(parts.dataset)`; changes: fields of `Options` in place of the preset's; seeds: one an
    image, of the random starts (default: 0, 1, 2, ...); watch: called after every step. Preset
    "best" answers with the readers of `parts`, the paper's presets with the paper's rules. Raises
    ValueError for an unknown preset, options out of range, and images that do not fit, TypeError
    for an option that there is not.

    >>> parts = load("mnist")
    >>> images, labels = parts.examples.images[:2], parts.examples.labels[:2]
    >>> found = undo(parts, craft(parts.psi, images, labels, "linf"))
    >>> found.labels.tolist() == labels.tolist(), found.attacks
    (True, ('linf', 'linf'))
    """
    known = presets(parts.dataset)
    if preset not in known:
        raise ValueError(f"unknown preset {preset!r}: choose {', '.join(known)}")
    shape = tuple(parts.examples.images.shape[1:])
    if attacked.ndim != 4 or tuple(attacked.shape[1:]) != shape:
        raise ValueError(f"x' must be [B, {', '.join(map(str, shape))}], not {[*attacked.shape]}")
    options = replace(known[preset], **changes)  # type: ignore[arg-type]
    problem, state = begin_run(parts, attacked, options, _seeds(seeds, len(attacked)))
    iterate = run_to_end(problem, state, options, lambda problem, state: watch())
    return Undone(problem, iterate, judge(problem, iterate, readers_for(parts, preset)))
