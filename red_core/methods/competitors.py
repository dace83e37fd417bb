"""The honest competitors of an attack detector: neither uses an attack dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from red_core.data.assets import AssetError, read_tensors
from red_core.methods.method import ANSWERS, GREY, Answers, Method, Watch, label
from red_core.models.evidence_model import EvidenceModel
from red_core.run.bundle import Bundle

KNOWN = ANSWERS.index("none") + 1  # the attacks and none: what they were trained on
LARGE = 0.1  # of a pixel's range: what counts for the sparsity


class TypeClassifier(Method):
    """A small CNN trained to tell clean, l-inf, l2 and l1 apart from x' alone."""

    key, title = "type-cnn", "Type CNN"
    answers_signal, answers_attack = False, True
    files = ("type-classifier.safetensors",)

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The bundle's network; AssetError where it has none."""
        if bundle.readers.types is None:
            raise AssetError(
                f"{bundle.dataset} has no type-classifier.safetensors yet: its recipe makes it"
            )
        return cls(bundle.readers.types)

    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """The attack it sees in x'."""
        return Answers(attack=label(self._network, attacked))


class NormRatio(Method):
    """||r||_1 / ||r||_2, ||r||_inf and the sparsity of r = x' - G(E(x')), weighed together."""

    key, title = "norm-ratio", "Norm ratios"
    answers_signal, answers_attack = False, True
    files = ("generator.safetensors", "encoder.safetensors", "norm-ratio.safetensors")
    datasets = GREY

    def __init__(self, bundle: Bundle, rule: nn.Module) -> None:
        self.bundle, self.rule = bundle, rule

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The rule of `files`; it needs the encoder."""
        if bundle.encoder is None:
            raise AssetError(f"the norm ratios need an encoder, and {bundle.dataset} has none yet")
        rule = EvidenceModel.from_tensors(read_tensors(bundle.dataset, cls.files[-1]))
        return cls(bundle, rule.to(bundle.device).eval().requires_grad_(False))

    @torch.no_grad()
    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """The attack that the residual's norms speak for."""
        guess = self.bundle.prior.guess(attacked)
        assert guess is not None
        image = self.bundle.generator(guess)
        answer = self.rule(norm_features(attacked - image)).argmax(1)
        return Answers(attack=answer, reconstruction=image, perturbation=attacked - image)


def norm_features(residual: Tensor) -> Tensor:
    """log ||r||_1/||r||_2, log ||r||_inf and the share of large pixels of r [B, ...]: [B, 3]."""
    size = residual.flatten(1).abs()
    l2 = torch.linalg.vector_norm(size, dim=1).clamp_min(1e-9)
    ratio = (size.sum(1) / l2).clamp_min(1e-9).log()
    return torch.stack(
        (ratio, size.amax(1).clamp_min(1e-9).log(), (size > LARGE).float().mean(1)), 1
    )
