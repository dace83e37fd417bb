"""The paper's methods: Defense-GAN, and BSD-GAN with BSD-GAN-AD under each preset."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import in_alternation, step
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import BEST_FILES, DCGAN, PAPER_FILES, files_of, presets_of
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State
from red_core.algorithm.verdict import NO_ATTACK, judge, silent
from red_core.data.assets import AssetError
from red_core.methods.method import ANSWERS, GREY, Answers, Method, Watch, label
from red_core.models.dcgan import DCGANGenerator
from red_core.run.bundle import Bundle, load_dcgan
from red_core.run.experiment import begin_run, readers_for

BETA = 10.0  # B.4
STRIDE = 5  # steps between two calls of `watch`


class BsdGan(Method):
    """BSD-GAN and BSD-GAN-AD (Algorithm 1) under one preset, run to its end."""

    preset: ClassVar[str]  # it has one
    answers_attack = True
    iterative = True
    files: ClassVar[tuple[str, ...]] = PAPER_FILES
    projects: ClassVar[bool] = True

    def __init__(self, bundle: Bundle, options: SolverOptions) -> None:
        self.bundle, self.options = bundle, options

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle holds all it needs."""
        return cls(bundle, presets_of(bundle.dataset)[cls.preset])

    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """The verdict on the last iterate; `readings` holds the paper's rules on the same run."""
        problem, state = begin_run(self.bundle, attacked, self.options, seeds)

        def show(moving: RedProblem, state: State) -> None:
            # Items that have settled leave the batch: these are the images of those that go on.
            steps = int(state.k.max())
            if watch is not None and steps % STRIDE == 0:
                watch(steps, observe(moving, state, self.options).image)

        last = run_to_end(problem, state, self.options, show)
        verdict = judge(problem, last, readers_for(self.bundle, self.preset))
        blocks = torch.where(silent(last), ANSWERS.index(NO_ATTACK), verdict.block_label)
        return Answers(
            signal=verdict.signal_label,
            attack=verdict.attack_label,
            reconstruction=last.image,
            perturbation=problem.observed - last.image - last.residual.view_as(last.image),
            readings=self._readings(verdict.psi_label, blocks),
        )

    def _readings(self, psi: Tensor, blocks: Tensor) -> dict[str, Answers]:
        return {}


class BsdGanBest(BsdGan):
    """Our preset, with the reader and the evidence model; the paper's rules beside it."""

    key, title, preset = "bsd-gan-best", "BSD-GAN best", "best"
    files = BEST_FILES
    readings: ClassVar[dict[str, str]] = {"rules": "BSD-GAN best, read by ψ and by blocks alone"}

    def _readings(self, psi: Tensor, blocks: Tensor) -> dict[str, Answers]:
        return {"rules": Answers(signal=psi, attack=blocks)}


class BsdGanPaper(BsdGan):
    """The paper's numbers (B.2) and its rules."""

    key, title, preset = "bsd-gan-paper", "BSD-GAN paper", "paper"
    paper = ("BSD-GAN", "BSD-GAN-AD")


class BsdGanFrozen(BsdGan):
    """The same with z frozen after the Defense-GAN start, as in the published code.

    What psi makes of that G(z) is Defense-GAN's answer, so a table need not invert twice.
    """

    key, title, preset = "bsd-gan-frozen", "BSD-GAN paper, z frozen", "paper-frozen"
    readings: ClassVar[dict[str, str]] = {"defense-gan": "Defense-GAN"}

    def _readings(self, psi: Tensor, blocks: Tensor) -> dict[str, Answers]:
        return {"defense-gan": Answers(signal=psi)}


class _PapersGenerator(BsdGan):
    """A preset of the paper with the paper's own kind of G (B.2): a DCGAN, or a Wasserstein GAN."""

    datasets = GREY
    projects = False
    paper = ("BSD-GAN", "BSD-GAN-AD")
    files = files_of("paper", DCGAN)

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle with that G; AssetError where it has not been made."""
        generator = load_dcgan(bundle.dataset, bundle.device, DCGAN)
        other = replace(bundle, generator=generator, encoder=None, generator_name=DCGAN)
        return cls(other, presets_of(bundle.dataset)[cls.preset])


class BsdGanDcgan(_PapersGenerator):
    """The paper's numbers and rules on the paper's generator."""

    key, title, preset = "bsd-gan-dcgan", "BSD-GAN paper, the paper's G", "paper"


class BsdGanPublished(_PapersGenerator):
    """The published code's start and lambda on the paper's generator; z frozen."""

    key, title, preset = (
        "bsd-gan-published",
        "BSD-GAN as published, the paper's G",
        "paper-published",
    )


class _Smooth(BsdGan):
    """A preset with softplus (beta = 10) in G, whose weights stay (B.4): G meets Assumption 1."""

    datasets = GREY
    projects = False

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle with its G made smooth."""
        generator = copy.deepcopy(bundle.generator)
        if not isinstance(generator, DCGANGenerator):
            raise AssetError(f"B.4 smooths a DCGAN, and {bundle.dataset} has a style generator")
        generator.activation = nn.Softplus(beta=BETA)
        smooth = replace(bundle, generator=generator)
        return cls(smooth, presets_of(bundle.dataset)[cls.preset])


class BsdGanBestSmooth(_Smooth):
    """`best` with a smooth G; the readings are kept apart as those of `best` are."""

    key, title, preset = "bsd-gan-best-smooth", "BSD-GAN best, smooth", "best"
    files = BEST_FILES
    readings: ClassVar[dict[str, str]] = {
        "rules": "BSD-GAN best, smooth, read by ψ and by blocks alone"
    }
    _readings = BsdGanBest._readings


class BsdGanPaperSmooth(_Smooth):
    """The paper's preset with a smooth G: BSD-GAN-Smooth and BSD-GAN-AD-Smooth of Table 4."""

    key, title, preset = "bsd-gan-paper-smooth", "BSD-GAN paper, smooth", "paper"


class DefenseGan(Method):
    """Defense-GAN alone (Samangouei et al. 2018), in B.2's numbers for the data set.

    psi reads the best restart's G(z).
    """

    key, title, preset = "defense-gan", "Defense-GAN", "paper"
    start_alone = True
    iterative = True
    projects = True
    files = ("classifier.safetensors", "generator.safetensors")

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.options = presets_of(bundle.dataset)[self.preset]

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle holds all it needs."""
        return cls(bundle)

    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """psi's class of G(z)."""
        options = self.options
        problem, state = begin_run(self.bundle, attacked, options, seeds)
        while not in_alternation(state):
            state = step(problem, state, options)
            steps = int(state.k.max())
            if watch is not None and steps % STRIDE == 0:
                watch(steps, observe(problem, state, options).image)
        image = observe(problem, state, options).image
        return Answers(signal=label(self.bundle.psi, image), reconstruction=image)
