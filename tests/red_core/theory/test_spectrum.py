"""Lanczos against dense eigensolvers, and Hessian-vector products against autograd's Hessian."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from red_core.theory import hessian_product, lanczos


def symmetric(eigenvalues: Tensor, seed: int = 0) -> Tensor:
    size = len(eigenvalues)
    draw = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=draw, dtype=torch.float64))
    return basis @ torch.diag(eigenvalues.double()) @ basis.T


@given(size=st.integers(1, 40), seed=st.integers(0, 10**6), shift=st.floats(-3, 3))
def test_the_ends_of_random_matrices(size, seed, shift):
    draw = torch.Generator().manual_seed(seed)
    matrix = torch.randn(size, size, generator=draw, dtype=torch.float64)
    matrix = matrix + matrix.T + shift * torch.eye(size, dtype=torch.float64)
    wanted = torch.linalg.eigvalsh(matrix)
    ends = lanczos(lambda v: matrix @ v, size, vectors=True)
    assert ends.largest == pytest.approx(float(wanted[-1]), abs=1e-8)
    assert ends.smallest == pytest.approx(float(wanted[0]), abs=1e-8)
    assert ends.steps <= size
    for vector, value in zip(ends.vectors, (ends.largest, ends.smallest), strict=True):
        assert float(vector.norm()) == pytest.approx(1)
        torch.testing.assert_close(matrix @ vector, value * vector, atol=1e-7, rtol=0)


def test_a_large_operator_needs_few_products():
    eigenvalues = torch.linspace(-1, 1, 2000).double()
    eigenvalues[0], eigenvalues[-1] = -3, 5
    diagonal = eigenvalues[torch.randperm(2000)]
    ends = lanczos(lambda v: diagonal * v, 2000)
    assert (ends.largest, ends.smallest) == (pytest.approx(5), pytest.approx(-3))
    assert ends.steps < 60
    assert max(ends.residuals) < 1e-9
    assert ends.vectors is None


@pytest.mark.parametrize(
    ("eigenvalues", "distinct"),
    [([2.0] * 30, 1), ([0.0] * 30, 1), ([7.0] * 10 + [-1.0] * 20, 2), ([0.0] * 29 + [4.0], 2)],
)
def test_it_ends_where_the_krylov_space_does(eigenvalues, distinct):
    matrix = symmetric(torch.tensor(eigenvalues))
    ends = lanczos(lambda v: matrix @ v, 30, vectors=True)
    assert ends.steps == distinct
    assert ends.largest == pytest.approx(max(eigenvalues), abs=1e-12)
    assert ends.smallest == pytest.approx(min(eigenvalues), abs=1e-12)
    torch.testing.assert_close(
        matrix @ ends.vectors[0], ends.largest * ends.vectors[0], atol=1e-10, rtol=0
    )


def test_clustered_ends_stay_orthogonal():
    """Without reorthogonalisation the large eigenvalue comes back as ghosts."""
    eigenvalues = torch.linspace(0, 1, 200).double()
    eigenvalues[-2:] = torch.tensor([1000.0, 1000.001], dtype=torch.float64)
    matrix = symmetric(eigenvalues)
    ends = lanczos(lambda v: matrix @ v, 200, tolerance=1e-13, vectors=True)
    assert ends.largest == pytest.approx(1000.001, rel=1e-12)
    assert ends.smallest == pytest.approx(0, abs=1e-9)
    assert abs(float(ends.vectors[0] @ ends.vectors[1])) < 1e-9


def test_stopping_early_says_how_far_it_is():
    matrix = symmetric(torch.linspace(-1, 1, 100))
    ends = lanczos(lambda v: matrix @ v, 100, max_steps=8)
    assert ends.steps == 8
    eigenvalues = torch.linalg.eigvalsh(matrix)
    for value, residual in zip((ends.largest, ends.smallest), ends.residuals, strict=True):
        assert residual > 1e-6
        assert float((eigenvalues - value).abs().min()) <= residual + 1e-12


def test_the_same_seed_gives_the_same_vectors():
    matrix = symmetric(torch.linspace(-1, 1, 30))
    first, second = (lanczos(lambda v: matrix @ v, 30, vectors=True) for _ in range(2))
    assert torch.equal(first.vectors, second.vectors)


def test_an_operator_without_dimensions_is_refused():
    with pytest.raises(ValueError, match="at least one dimension"):
        lanczos(lambda v: v, 0)


def test_products_are_those_of_the_hessian():
    def value(point: Tensor) -> Tensor:
        return (point.exp() * point.roll(1, 0).sin()).sum() + point.prod()

    point = torch.randn(2, 3, dtype=torch.float64)
    wanted = torch.autograd.functional.hessian(value, point).reshape(6, 6)
    product = hessian_product(value, point)
    found = torch.stack([product(unit) for unit in torch.eye(6, dtype=torch.float64)])
    torch.testing.assert_close(found, wanted)
    assert not point.requires_grad
    assert not found.requires_grad


def test_a_linear_or_half_linear_function_has_a_hessian_too():
    point = torch.randn(4, dtype=torch.float64)
    weights = torch.randn(4, dtype=torch.float64)
    ones = torch.ones(4, dtype=torch.float64)
    assert not hessian_product(lambda p: p @ weights, point)(ones).any()
    half = hessian_product(lambda p: p[0] ** 2 + p[1:].sum(), point)
    assert half(ones).tolist() == [2.0, 0.0, 0.0, 0.0]


def test_a_float32_function_is_accurate_to_its_own_precision():
    weights = torch.randn(50, 20)
    point = torch.randn(20)
    product = hessian_product(lambda p: torch.tanh(weights @ p).square().sum(), point)
    assert product(torch.ones(20, dtype=torch.float64)).dtype == torch.float32
    ends = lanczos(product, 20, tolerance=1e-4)
    wanted = torch.autograd.functional.hessian(
        lambda p: torch.tanh(weights.double() @ p).square().sum(), point.double()
    )
    eigenvalues = torch.linalg.eigvalsh(wanted)
    assert ends.largest == pytest.approx(float(eigenvalues[-1]), rel=1e-4)
    assert ends.smallest == pytest.approx(float(eigenvalues[0]), rel=1e-3)
