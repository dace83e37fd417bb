"""The evidence model: how strange is strange, and files from before it could say so."""

import pytest
import torch
from torch import Tensor

from red_core.models.evidence_model import EvidenceModel

FEATURES, ANSWERS = 5, 3


@pytest.fixture
def model() -> EvidenceModel:
    made = EvidenceModel(FEATURES, ANSWERS, held_out=4).double().eval()
    made.mean.normal_()
    made.scale.uniform_(0.5, 2)
    made.centres.normal_()
    made.precisions.copy_(spread(ANSWERS))
    made.held_out.copy_(torch.tensor([1.0, 2.0, 2.0, 5.0]))
    made.wrongly_flagged.fill_(0.4)
    return made


def spread(count: int) -> Tensor:
    root = torch.randn(count, FEATURES, FEATURES).double()
    return root @ root.mT + 0.1 * torch.eye(FEATURES)


def test_strangeness_is_the_distance_to_the_nearest_answer(model: EvidenceModel) -> None:
    features = torch.randn(6, FEATURES).double()
    for row, score in zip(features, model.mahalanobis(features), strict=True):
        away = [(row - model.mean) / model.scale - centre for centre in model.centres]
        squares = [a @ p @ a for a, p in zip(away, model.precisions, strict=True)]
        torch.testing.assert_close(score, torch.stack(squares).min())


def test_the_p_value_counts_the_held_out_runs_that_are_as_strange(model: EvidenceModel) -> None:
    scores = torch.tensor([0.5, 1.0, 2.0, 2.5, 5.0, 9.0]).double()
    p = model.p_value(scores)
    torch.testing.assert_close(p, torch.tensor([5, 5, 4, 2, 2, 1]).double() / 5)
    assert model.is_unknown(p).tolist() == [False, False, False, True, True, True]


def test_of_known_runs_no_larger_share_is_flagged_than_was_said() -> None:
    """The conformal guarantee, on scores of one distribution."""
    flagged, said, rounds = 0, 0.05, 2000
    for _ in range(rounds):
        model = EvidenceModel(FEATURES, ANSWERS, held_out=39)
        model.held_out.copy_(torch.randn(39).sort().values)
        model.wrongly_flagged.fill_(said)
        flagged += int(model.is_unknown(model.p_value(torch.randn(1))))
    assert 0.6 * said < flagged / rounds < 1.4 * said


def test_a_stored_model_comes_back_and_an_old_one_flags_nothing(model: EvidenceModel) -> None:
    stored = model.float().state_dict()
    features = 50 * torch.randn(6, FEATURES)
    again = EvidenceModel.from_tensors(stored)
    torch.testing.assert_close(again.mahalanobis(features), model.mahalanobis(features))
    assert bool(again.is_unknown(again.p_value(again.mahalanobis(features))).all())
    new = ("centres", "precisions", "held_out", "wrongly_flagged")
    old = EvidenceModel.from_tensors({k: t for k, t in stored.items() if k not in new})
    torch.testing.assert_close(old(features), model(features))
    p = old.p_value(old.mahalanobis(features))
    assert p.tolist() == [1.0] * 6
    assert not bool(old.is_unknown(p).any())
