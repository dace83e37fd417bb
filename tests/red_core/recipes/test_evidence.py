"""The evidence recipe: what it fits for the answer "unknown"."""

import torch

from red_core.models.evidence_model import EvidenceModel
from red_core.recipes.evidence import WRONGLY_FLAGGED, fit_mahalanobis

FEATURES = 6


def known(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Runs of three answers: Gaussians of their own centres and spreads."""
    draw = torch.Generator().manual_seed(seed)
    answers = torch.arange(count) % 3
    centres = 10 * torch.eye(FEATURES)[answers]
    wide = 1 + torch.arange(FEATURES) / 3
    return centres + wide * torch.randn(count, FEATURES, generator=draw), answers


def test_known_runs_pass_and_what_lies_between_them_is_flagged() -> None:
    features, answers = known(3000, 0)
    model = EvidenceModel(FEATURES, 3, held_out=1000)
    model.mean.copy_(features.mean(0))
    model.scale.copy_(features.std(0))
    fit_mahalanobis(model, features, answers, known(1000, 1)[0])
    fresh = model.p_value(model.mahalanobis(known(3000, 2)[0]))
    share = float(model.is_unknown(fresh).float().mean())
    assert 0 < share < 2 * WRONGLY_FLAGGED
    strange = torch.full((5, FEATURES), 10.0)
    assert bool(model.is_unknown(model.p_value(model.mahalanobis(strange))).all())
    torch.testing.assert_close(model.held_out, model.held_out.sort().values)


def test_every_answer_has_its_own_gaussian() -> None:
    features, answers = known(6000, 3)
    model = EvidenceModel(FEATURES, 3, held_out=10)
    fit_mahalanobis(model, features, answers, features[:10])
    for answer in range(3):
        own = features[answers == answer]
        torch.testing.assert_close(model.centres[answer], own.mean(0))
        spread = torch.linalg.inv(model.precisions[answer].double())
        torch.testing.assert_close(spread.float(), torch.cov(own.T), atol=0.02, rtol=0.02)
