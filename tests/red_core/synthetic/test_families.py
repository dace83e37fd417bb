"""The families of W are the paper's."""

import math

import pytest
import torch

from red_core.synthetic import FAMILIES, InstanceSettings, make_instances


def weights(family: str, **settings) -> list[torch.Tensor]:
    made = make_instances(InstanceSettings(family=family, examples=2, **settings))
    return [weight[0] for weight in made.network.weights]


@pytest.mark.parametrize(("family", "least", "rows"), [("two_rows", 2, 2), ("hadamard", 4, 4)])
def test_rows_are_orthogonal_and_equally_often(family, least, rows):
    (W,) = weights(family, m=100)
    kinds, counts = W.unique(dim=0, return_counts=True)
    assert len(kinds) == rows
    assert counts.tolist() == [100 // rows] * rows
    gram = kinds @ kinds.T
    assert torch.allclose(gram, gram.diag().diag())
    assert W.shape[1] == least


def test_section_5_1s_two_rows():
    (W,) = weights("two_rows", m=10)
    half = math.sqrt(2) / 2
    assert {tuple(round(v, 9) for v in row) for row in W.tolist()} == {
        (round(-half, 9), round(half, 9)),
        (round(half, 9), round(half, 9)),
    }


@pytest.mark.parametrize("family", ["example15", "hadamard_noisy"])
def test_noise_has_the_variance_asked_for(family):
    quiet, loud = (weights(family, m=1000, noise=noise)[0] for noise in (0.0, 0.2))
    assert len(quiet.unique(dim=0)) == (2 if family == "example15" else 4)
    assert float((loud - quiet).var()) == pytest.approx(0.2, rel=0.1)


def test_vandermonde_rows_have_length_one():
    (W,) = weights("vandermonde", m=50)
    assert torch.allclose(W.norm(dim=1), torch.ones(50, dtype=torch.float64))
    assert torch.allclose(W[:, 1] / W[:, 0], torch.arange(1, 51, dtype=torch.float64))


def test_b3s_three_layers_expand():
    made = weights("three_layer", m=300, d=10)
    assert [tuple(weight.shape) for weight in made] == [(30, 10), (60, 30), (300, 60)]


@pytest.mark.parametrize(("scale", "variance"), [("1/m", 1 / 1500), ("1/d", 1 / 80), ("1", 1.0)])
def test_the_scale_is_the_variance_of_the_entries(scale, variance):
    (W,) = weights("gaussian", m=1500, d=80, scale=scale)
    assert float(W.var()) == pytest.approx(variance, rel=0.02)


def test_layers_widen_geometrically():
    made = weights("gaussian", m=160, d=10, layers=4)
    assert [len(weight) for weight in made] == [20, 40, 80, 160]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "own"])
def test_a_seed_gives_the_same_weights_again_and_another_seed_others(family):
    first, again, other = (weights(family, m=200, seed=seed)[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (family == "vandermonde")
