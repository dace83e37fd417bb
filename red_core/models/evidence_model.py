"""What the preset `best` reads its answers with: evidence about the attack's type."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class EvidenceModel(nn.Module):
    """Features of the residual [B, F] -> logits over (attack types ..., none), [B, A + 1].

    A standardised two-layer perceptron, trained on attacked training images; `temperature`
    is fitted on other training images, so that its probabilities are calibrated.

    It also scores how far an image is from all of its answers (out-of-distribution score). Every
    answer's runs are one Gaussian
    (Lee et al. 2018, but each with its own covariance): `centres` [A + 1, F] and `precisions`
    [A + 1, F, F], of standardised features. `held_out` [N]: the scores of known runs that fitted
    nothing, ascending; `wrongly_flagged`: the share of known runs that may be called unknown.
    A model without held-out scores calls nothing unknown.
    """

    mean: Tensor
    scale: Tensor
    temperature: Tensor
    centres: Tensor
    precisions: Tensor
    held_out: Tensor
    wrongly_flagged: Tensor

    def __init__(self, features: int, answers: int, width: int = 32, held_out: int = 0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("centres", torch.zeros(answers, features))
        self.register_buffer("precisions", torch.eye(features).repeat(answers, 1, 1))
        self.register_buffer("held_out", torch.zeros(held_out))
        self.register_buffer("wrongly_flagged", torch.zeros(()))
        self.net = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, answers))

    @classmethod
    def from_tensors(cls, stored: Mapping[str, Tensor]) -> EvidenceModel:
        """The model of a stored file; one made before scores were kept calls nothing unknown."""
        answers, width = stored["net.2.weight"].shape
        held_out = len(stored["held_out"]) if "held_out" in stored else 0
        model = cls(len(stored["mean"]), answers, width, held_out)
        model.load_state_dict({**model.state_dict(), **stored})
        return model

    def forward(self, features: Tensor) -> Tensor:
        """Calibrated logits [B, answers]."""
        logits: Tensor = self.net((features - self.mean) / self.scale)
        return logits / self.temperature

    def mahalanobis(self, features: Tensor) -> Tensor:
        """The smallest squared Mahalanobis distance to a known answer's runs, [B, F] -> [B]."""
        away = ((features - self.mean) / self.scale)[:, None] - self.centres
        return torch.einsum("baf,afg,bag->ba", away, self.precisions, away).amin(1)

    def p_value(self, score: Tensor) -> Tensor:
        """The p-value of a score: (1 + held-out runs with at least that score) / (N + 1), [B].

        The conformal p-value (Vovk et al. 2005): of images like the held-out runs, a share of at
        most p gets a value of p or less. 1 where there are no held-out runs.
        """
        below = torch.searchsorted(self.held_out.to(score), score.contiguous())
        count = len(self.held_out)
        return (1 + count - below).to(score) / (count + 1)

    def is_unknown(self, p_value: Tensor) -> Tensor:
        """Whether an image is like none of the known answers, [B]: p <= `wrongly_flagged`."""
        return p_value <= self.wrongly_flagged
