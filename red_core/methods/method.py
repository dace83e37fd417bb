"""What a method is, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from red_core.algorithm.presets import DIFFUSION_FILES, PAPER_FILES
from red_core.algorithm.verdict import NO_ATTACK, UNKNOWN
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import DATASETS
from red_core.data.own_datasets import own_dataset
from red_core.run.bundle import Bundle

GREY = ("mnist", "fashion")  # data sets of Table 3's networks and a DCGAN
ANSWERS = (*ATTACKS, NO_ATTACK, UNKNOWN)  # what an attack label counts through
Watch = Callable[[int, Tensor], object]
"""Called by an iterative method, every few steps, with its step and its present images.

The images are [b, C, H, W], b <= B: of the items that still move.
"""


@dataclass(frozen=True)
class Answers:
    """A method's answers for a batch; None for what it does not answer.

    signal: class [B]; attack: index into ANSWERS [B]; reconstruction: its clean image
    [B, C, H, W] (x' itself is none); perturbation: its attack [B, C, H, W]. readings: further
    answers from the same run, such as psi's alone, by a name of their own.
    """

    signal: Tensor | None = None
    attack: Tensor | None = None
    reconstruction: Tensor | None = None
    perturbation: Tensor | None = None
    readings: dict[str, Answers] = field(default_factory=dict)


class Method(ABC):
    """One column (or two) of a table, fitted to a data set's assets.

    key: on the command line and in files; title: on a page; read_by: the classifier that gives the
    class, where a table's row names it; preset: the one whose options it takes, or None;
    start_alone: whether it is the start of that preset and no more; paper: its columns in the
    paper's tables, for the signal and the attack (None where it has none); files: the trained files
    that decide its answers; datasets: those it makes sense on; projects: whether it makes sense on
    a project, which has psi, G and D_a and no other network that was trained for them; readings:
    names of the further answers in `Answers.readings`, with their titles; iterative: whether it
    tells `watch` of steps.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    answers_signal: ClassVar[bool] = True
    answers_attack: ClassVar[bool] = False
    preset: ClassVar[str | None] = None
    start_alone: ClassVar[bool] = False
    read_by: ClassVar[str] = ""
    paper: ClassVar[tuple[str | None, str | None]] = (None, None)
    files: ClassVar[tuple[str, ...]] = ("classifier.safetensors",)
    datasets: ClassVar[tuple[str, ...]] = DATASETS
    projects: ClassVar[bool] = False
    readings: ClassVar[dict[str, str]] = {}
    iterative: ClassVar[bool] = False

    @classmethod
    def files_on(cls, dataset: str) -> tuple[str, ...]:
        """Those of `files` that it needs on a data set; on a project those that projects have."""
        if own_dataset(dataset) is None:
            return cls.files
        return tuple(name for name in cls.files if name in (*PAPER_FILES, *DIFFUSION_FILES))

    @classmethod
    def readings_on(cls, dataset: str) -> dict[str, str]:
        """The readings on a data set: a project's answers are the paper's rules' already."""
        return cls.readings if own_dataset(dataset) is None else {}

    @classmethod
    @abstractmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The method with its assets loaded; AssetError where one is missing or changed."""

    @abstractmethod
    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """Answers for x' [B, C, H, W] in [0, 1]; seeds: one per image, of all that is random.

        An image's answers depend on it and its seed alone, not on its neighbours (to rounding).
        """

    @property
    def network(self) -> nn.Module | None:
        """Its own differentiable classifier, for white-box attacks; None: it has psi alone."""
        return None


@torch.no_grad()
def label(network: nn.Module, images: Tensor) -> Tensor:
    """The class [B] that a network gives images [B, C, H, W]."""
    answer: Tensor = network(images).argmax(1)
    return answer
