"""The distance in a network's features: its value, and that the target's are computed once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from red_core.models.feature_distance import feature_distance


def test_features_of_the_target_are_computed_once() -> None:
    read = []

    def features(x: Tensor) -> Tensor:
        read.append(len(x))
        return 2 * x

    target, made = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    loss = feature_distance(features, 0.5)(target)
    assert torch.allclose(loss(made), (made - target).square().sum((1, 2, 3)))
    assert torch.equal(loss(target), torch.zeros(2))
    assert len(read) == 3


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_makes_no_sense_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight of a feature distance"):
        feature_distance(lambda x: x, weight)
