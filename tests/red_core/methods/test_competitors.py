"""The honest competitors: the norms they read, and what they need."""

import math
from dataclasses import replace

import pytest
import torch

from red_core.data.assets import AssetError
from red_core.methods.competitors import LARGE, NormRatio, norm_features
from red_core.run.bundle import Bundle


def test_norms_of_a_flat_a_dense_and_a_sparse_residual() -> None:
    flat = torch.full((1, 1, 28, 28), 0.3)
    sparse = torch.zeros(1, 1, 28, 28)
    sparse[0, 0, 0, :10] = 1.0
    features = norm_features(torch.cat((flat, sparse)))
    assert features[0].tolist() == pytest.approx([math.log(28), math.log(0.3), 1.0])
    assert features[1].tolist() == pytest.approx([math.log(math.sqrt(10)), 0.0, 10 / 784])


def test_norms_ignore_signs_and_small_pixels() -> None:
    residual = torch.randn(3, 1, 28, 28)
    assert torch.allclose(norm_features(residual), norm_features(-residual))
    assert float(norm_features(torch.full((1, 784), LARGE / 2))[0, 2]) == 0


def test_a_residual_of_zero_is_finite() -> None:
    assert torch.isfinite(norm_features(torch.zeros(2, 784))).all()


def test_norm_ratio_says_that_it_needs_an_encoder(toy_bundle: Bundle) -> None:
    with pytest.raises(AssetError, match="encoder"):
        NormRatio.fit(replace(toy_bundle, encoder=None))
