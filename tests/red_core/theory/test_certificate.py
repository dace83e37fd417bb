from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import begin
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.diffusion_step import identity
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.algorithm.verdict import block_residuals
from red_core.sbsc import BlockDictionary
from red_core.theory import BlockCertificate, block_certificate, certify
from red_core.theory.certificate import GAP

PIXELS, CLASSES, ATTACKS, SIZE = 30, 2, ("linf", "l2", "l1"), 12  # 72 columns of 30 pixels


def dictionary(seed: int) -> AttackDictionary:
    draw = torch.Generator().manual_seed(seed)
    common = torch.randn(PIXELS, generator=draw)  # blocks that are alike, as attacks are
    deltas = torch.randn(CLASSES, len(ATTACKS), SIZE, PIXELS, generator=draw) + common
    return AttackDictionary.from_attacks(deltas, ATTACKS)


def target(seed: int) -> Tensor:
    return torch.randn(PIXELS, generator=torch.Generator().manual_seed(100 + seed)).double()


def largest(D_a: AttackDictionary, y: Tensor) -> float:
    return float(D_a.to(dtype=torch.float64).energies(D_a.atoms.double().T @ y).max())


def elsewhere(D_a: AttackDictionary, y: Tensor, lam: float) -> Tensor:
    """The minimiser of an interior-point method, [blocks, SIZE]."""
    atoms = D_a.atoms.double().numpy()
    blocks = [cp.Variable(SIZE) for _ in range(CLASSES * len(ATTACKS))]
    parts = [atoms[:, g * SIZE : (g + 1) * SIZE] @ block for g, block in enumerate(blocks)]
    fit = 0.5 * cp.sum_squares(y.numpy() - sum(parts))
    problem = cp.Problem(cp.Minimize(fit + lam * sum(cp.norm(block) for block in blocks)))
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return torch.from_numpy(np.stack([block.value for block in blocks]))


def residuals_of(D_a: AttackDictionary, y: Tensor, c: Tensor) -> Tensor:
    atoms = D_a.atoms.double().unflatten(1, (len(c), SIZE))
    left = y - torch.einsum("ngm,gm->gn", atoms, c)
    return torch.linalg.vector_norm(left, dim=1).view(CLASSES, len(ATTACKS))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.2, 0.35, 0.7])
def test_another_solvers_block_residuals_lie_within_the_radius(seed: int, share: float) -> None:
    D_a, y = dictionary(seed), target(seed)
    lam = share * largest(D_a, y)
    found = block_certificate(BlockDictionary.of_attacks(D_a), y, lam, exact=True)
    other = elsewhere(D_a, y, lam)
    apart = (residuals_of(D_a, y, other) - found.residuals).abs()
    assert float(found.radius.max()) < 1e-3
    assert bool((apart <= found.radius + 1e-4).all()), "1e-4: what the interior point leaves"
    assert bool((torch.linalg.vector_norm(other, dim=1)[found.zero.flatten()] < 1e-4).all())
    assert int((~found.zero).sum()) >= 1
    if found.certain:
        assert int(residuals_of(D_a, y, other).amin(0).argmin()) == found.answer


def test_most_answers_are_certain() -> None:
    found = []
    for seed in range(12):
        D_a, y = dictionary(seed), target(seed)
        lam = 0.35 * largest(D_a, y)
        found.append(block_certificate(BlockDictionary.of_attacks(D_a), y, lam))
    certain = [each for each in found if each.certain]
    assert len(certain) >= 10
    assert max(each.gap for each in certain) > GAP, "they ended as soon as they were certain"


def test_two_equal_blocks_leave_it_open() -> None:
    """Their minimisers are a line: the weight moves freely between the two attacks."""
    draw = torch.Generator().manual_seed(3)
    block = torch.randn(SIZE, PIXELS, generator=draw)
    deltas = torch.randn(CLASSES, len(ATTACKS), SIZE, PIXELS, generator=draw)
    deltas[0, 0] = deltas[0, 1] = block
    D_a = AttackDictionary.from_attacks(deltas, ATTACKS)
    y = block.double().sum(0)
    found = block_certificate(BlockDictionary.of_attacks(D_a), y, 0.5 * largest(D_a, y))
    assert bool(found.radius[0, :2].isinf().all())
    assert not found.certain


def test_others_may_compute_between_its_sweeps() -> None:
    D_a, y, calls = dictionary(0), target(0), []
    lam = 0.35 * largest(D_a, y)
    blocks = BlockDictionary.of_attacks(D_a)
    block_certificate(blocks, y, lam, exact=True, between=lambda: calls.append(1))
    assert len(calls) > 1


def test_no_code_names_nothing() -> None:
    D_a, y = dictionary(0), target(0)
    found = block_certificate(BlockDictionary.of_attacks(D_a), y, 1.01 * largest(D_a, y))
    assert bool(found.zero.all())
    assert not found.certain


@pytest.mark.parametrize("gap", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("seed", range(4))
def test_the_radius_of_a_wide_gap_holds_the_minimiser(monkeypatch, seed: int, gap: float) -> None:
    D_a, y = dictionary(seed), target(seed)
    blocks, lam = BlockDictionary.of_attacks(D_a), 0.3 * largest(D_a, y)
    fine = block_certificate(blocks, y, lam, exact=True)
    monkeypatch.setattr("red_core.theory.certificate.GAP", gap)
    coarse = block_certificate(blocks, y, lam, exact=True)
    assert coarse.gap >= fine.gap
    apart = (coarse.residuals - fine.residuals).abs()
    assert bool((apart <= coarse.radius + fine.radius).all())
    assert bool((fine.zero | ~coarse.zero).all()), "what is surely zero stays so"
    assert fine.certain or not coarse.certain


def test_a_wide_gap_decides_nothing(monkeypatch) -> None:
    D_a, y = dictionary(1), target(1)
    monkeypatch.setattr("red_core.theory.certificate.GAP", 0.5)
    found = block_certificate(BlockDictionary.of_attacks(D_a), y, 0.1 * largest(D_a, y))
    assert not found.certain


def test_the_answer_of_algorithm_1_is_the_certified_one() -> None:
    D_a, y = dictionary(4), target(4)
    problem = RedProblem(y.float()[None, :, None, None], identity, D_a)
    options = SolverOptions(
        restarts=1, start_steps=0, signal_step="frozen", acceleration="restart", steps=3000,
        tolerance=1e-7,
    )  # fmt: skip
    nothing = torch.zeros(1, 1, PIXELS, 1, 1)
    last = run_to_end(problem, begin(problem, nothing, options), options)
    found = certify(problem, last, None, BlockDictionary.of_attacks(D_a))
    assert isinstance(found, BlockCertificate)
    assert found.lam == pytest.approx(float(last.lam))
    torch.testing.assert_close(
        block_residuals(problem, last)[0].double(), found.residuals, rtol=0, atol=1e-3
    )
    other = certify(problem, last, 0.9, BlockDictionary.of_attacks(D_a))
    assert other.lam == pytest.approx(0.9 * largest(D_a, y), rel=1e-5)
    assert certify(problem, replace(last, lam=torch.zeros(1)), None, None) is None
