"""The methods of B.8, whose model of clean images is a diffusion model: DiffPure and BSD-DP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import DIFFUSION_FILES, READ_DIFFUSION_FILES, presets_of
from red_core.data.assets import AssetError
from red_core.data.datasets import DENOISED
from red_core.methods.bsd_gan import BsdGan
from red_core.methods.method import Answers, Method, Watch
from red_core.models.purifier import Purifier
from red_core.run.bundle import Bundle
from red_core.run.experiment import purifier_of

FIXED = 0  # the seed of the noise that does not change
VOTES = 8  # purifications that vote


def _check(bundle: Bundle) -> None:
    if bundle.denoiser is None:
        raise AssetError(f"{bundle.dataset} has no diffusion model (diffusion.safetensors)")


class DiffPure(Method):
    """DiffPure alone (Nie et al. 2022): psi reads D(x'), the first round of preset `bsd-dp-paper`.

    Its readings hold what our second classifier makes of the same purified images.
    """

    key, title, paper = "dp", "DiffPure", ("DP", None)
    preset = "bsd-dp-paper"
    start_alone = True
    files = ("classifier.safetensors", "diffusion.safetensors", "reader.safetensors")
    datasets = DENOISED
    projects = True
    read_by = "ψ"
    readings: ClassVar[dict[str, str]] = {"reader": "DiffPure, read by our second classifier"}

    def __init__(self, bundle: Bundle, options: SolverOptions) -> None:
        self.bundle, self.options = bundle, options

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle holds all it needs; AssetError where it has no diffusion model."""
        _check(bundle)
        return cls(bundle, presets_of(bundle.dataset)[cls.preset])

    def purifier(self) -> Purifier:
        """D, with its draws."""
        assert self.bundle.denoiser is not None  # `fit` checked
        return purifier_of(self.bundle.denoiser, self.options)

    def purified(self, attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        """What is read of x' [B, C, H, W]: one image or more, [B, n, C, H, W].

        Differentiable in x' where gradients are on.
        """
        return self.purifier().each(attacked, seeds).mean(1, keepdim=True)

    @torch.no_grad()
    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """psi's class of what is purified, and our second classifier's where there is one."""
        images = self.purified(attacked.to(self.bundle.device), seeds)
        own = self.bundle.readers
        readings = {}
        if own.reader is not None:
            signal = _vote(own.reader, images, own.reader_temperature)
            readings["reader"] = Answers(signal=signal)
        return Answers(
            signal=_vote(own.psi, images), reconstruction=images.mean(1), readings=readings
        )


def _vote(network: nn.Module, images: Tensor, temperature: float = 1.0) -> Tensor:
    """The class [B] of images [B, n, C, H, W]: the network's mean probabilities decide."""
    logits = network(images.flatten(0, 1)) / temperature
    return logits.softmax(1).unflatten(0, images.shape[:2]).mean(1).argmax(1)


class DiffPureFixed(DiffPure):
    """With the same noise for every image and every call, which an attacker could know."""

    key, title = "dp-fixed", "DiffPure, fixed noise"
    readings: ClassVar[dict[str, str]] = {
        "reader": "DiffPure, fixed noise, read by our second classifier"
    }

    def purified(self, attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        """D(x') by one noise, whatever the seeds."""
        return super().purified(attacked, [FIXED] * len(seeds))


class DiffPureOne(DiffPure):
    """One purification, whatever the preset's number of draws."""

    key, title = "dp-one", "DiffPure, one draw"
    readings: ClassVar[dict[str, str]] = {
        "reader": "DiffPure, one draw, read by our second classifier"
    }

    def purifier(self) -> Purifier:
        """D, once."""
        return replace(super().purifier(), draws=1)


class DiffPureVote(DiffPure):
    """Several purifications, each read by itself; the mean of the probabilities decides."""

    key, title = "dp-vote", f"DiffPure, vote of {VOTES}"
    readings: ClassVar[dict[str, str]] = {
        "reader": f"DiffPure, vote of {VOTES}, read by our second classifier"
    }

    def purifier(self) -> Purifier:
        """D, `VOTES` times."""
        return replace(super().purifier(), draws=VOTES)

    def purified(self, attacked: Tensor, seeds: Sequence[int]) -> Tensor:
        """Each purified image, [B, VOTES, C, H, W]."""
        return self.purifier().each(attacked, seeds)


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
    read_by = "ψ"
    files: ClassVar[tuple[str, ...]] = DIFFUSION_FILES


class BsdDp(_BsdDp):
    """Every round purifies what the attack's code leaves of x', and our reader reads the end."""

    key, title, preset = "bsd-dp", "BSD-DP", "bsd-dp"
    read_by = "our second classifier"
    files: ClassVar[tuple[str, ...]] = READ_DIFFUSION_FILES
    readings: ClassVar[dict[str, str]] = {"rules": "BSD-DP, read by ψ"}

    def _readings(self, psi: Tensor, blocks: Tensor) -> dict[str, Answers]:
        return {"rules": Answers(signal=psi, attack=blocks)}
