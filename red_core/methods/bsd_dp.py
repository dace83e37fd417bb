"""The methods of B.8, whose model of clean images is a diffusion model: DiffPure and BSD-DP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from torch import Tensor

from red_core.algorithm.algorithm1 import step
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import DIFFUSION_FILES, READ_DIFFUSION_FILES, presets_of
from red_core.data.assets import AssetError
from red_core.data.datasets import DENOISED
from red_core.methods.bsd_gan import BsdGan
from red_core.methods.method import Answers, Method, Watch, label
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run


def _check(bundle: Bundle) -> None:
    if bundle.denoiser is None:
        raise AssetError(f"{bundle.dataset} has no diffusion model (diffusion.safetensors)")


class DiffPure(Method):
    """DiffPure alone (Nie et al. 2022): psi reads D(x'), which is BSD-DP's first round."""

    key, title, paper = "dp", "DiffPure", ("DP", None)
    files = ("classifier.safetensors", "diffusion.safetensors")
    datasets = DENOISED
    projects = True

    def __init__(self, bundle: Bundle, options: SolverOptions) -> None:
        self.bundle, self.options = bundle, options

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle holds all it needs; AssetError where it has no diffusion model."""
        _check(bundle)
        return cls(bundle, presets_of(bundle.dataset)["bsd-dp"])

    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """psi's class of D(x')."""
        problem, state = begin_run(self.bundle, attacked, self.options, seeds)
        image = observe(problem, step(problem, state, self.options), self.options).image
        return Answers(signal=label(self.bundle.psi, image), reconstruction=image)


class _BsdDp(BsdGan):
    """BSD-DP and BSD-DP-AD under a preset; AssetError where there is no diffusion model."""

    paper = ("BSD-DP", "BSD-DP-AD")
    datasets = DENOISED

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle holds all it needs; AssetError where it has no diffusion model."""
        _check(bundle)
        return super().fit(bundle)


class BsdDpPaper(_BsdDp):
    """B.8 as it is written: every round purifies x' itself, and psi reads D(x')."""

    key, title, preset = "bsd-dp-paper", "BSD-DP paper", "bsd-dp-paper"
    files: ClassVar[tuple[str, ...]] = DIFFUSION_FILES


class BsdDp(_BsdDp):
    """Every round purifies what the attack's code leaves of x', and our reader reads the end."""

    key, title, preset = "bsd-dp", "BSD-DP", "bsd-dp"
    files: ClassVar[tuple[str, ...]] = READ_DIFFUSION_FILES
    readings: ClassVar[dict[str, str]] = {"rules": "BSD-DP, read by ψ"}

    def _readings(self, psi: Tensor, blocks: Tensor) -> dict[str, Answers]:
        return {"rules": Answers(signal=psi, attack=blocks)}
