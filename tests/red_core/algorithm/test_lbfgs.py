"""L-BFGS against quadratics, whose minima are known."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.algorithm.lbfgs import lbfgs_memory, lbfgs_step
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, RedProblem
from tests.red_core.stepping import Run


def residual_gradient(matrices: Tensor, wanted: Tensor, z: Tensor) -> Tensor:
    """A^T (A z - y) of rows z [1, R, d], A [R, n, d], y [R, n]."""
    missed = torch.einsum("rnd,rd->rn", matrices, z[0]) - wanted
    return torch.einsum("rnd,rn->rd", matrices, missed)[None]


def descended(matrices: Tensor, wanted: Tensor, steps: int, longest: float = 10.0) -> Tensor:
    """z [R, d] after steps down 1/2 ||A z - y||^2, A [R, n, d], y [R, n], from zero."""
    z = torch.zeros(1, len(wanted), matrices.shape[2])
    memory = lbfgs_memory(z)
    for _ in range(steps):
        z, memory = lbfgs_step(z, residual_gradient(matrices, wanted, z), memory, longest)
    return z[0]


def badly_scaled(rows: int, size: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    scales = torch.logspace(0, -2, size)
    bases = torch.linalg.qr(torch.randn(rows, size, size)).Q
    return bases * scales, torch.randn(rows, size)


def test_it_finds_a_badly_scaled_minimum_far_sooner_than_gradients_do() -> None:
    matrices, wanted = badly_scaled(3, 6)
    best = torch.linalg.solve(matrices, wanted)
    found = descended(matrices, wanted, 60, longest=1e3)
    assert (torch.einsum("rnd,rd->rn", matrices, found) - wanted).norm(dim=1).max() < 1e-3
    plain = torch.zeros_like(found)
    for _ in range(60):
        missed = torch.einsum("rnd,rd->rn", matrices, plain) - wanted
        plain = plain - torch.einsum("rnd,rn->rd", matrices, missed)  # 1 / L, the best fixed rate
    assert (found - best).norm() < 0.1 * (plain - best).norm()


def test_rows_do_not_meet() -> None:
    matrices, wanted = badly_scaled(4, 5)
    together = descended(matrices, wanted, 20)
    alone = torch.cat([descended(matrices[r : r + 1], wanted[r : r + 1], 20) for r in range(4)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


def test_no_step_is_longer_than_allowed_and_the_first_is_short() -> None:
    z = torch.zeros(1, 1, 3)
    memory = lbfgs_memory(z)
    for number in range(4):
        gradient = 3 * z.square() * (z**3 - 1e4) - 1e4  # never small
        following, memory = lbfgs_step(z, gradient, memory, 5.0)
        assert (following - z).norm() <= (5.0 if number else 1.0) * (1 + 1e-5)
        z = following + 1e-2


def test_rows_that_are_taken_out_go_on_as_before() -> None:
    matrices, wanted = badly_scaled(3, 5)
    z = torch.zeros(1, 3, 5)
    memory = lbfgs_memory(z)
    for number in range(12):
        if number == 6:
            rows = torch.tensor([2, 0])
            memory = tuple(tensor[:, rows] for tensor in memory)
            matrices, wanted, z = matrices[rows], wanted[rows], z[:, rows]
        z, memory = lbfgs_step(z, residual_gradient(matrices, wanted, z), memory, 10.0)
    whole = descended(*badly_scaled(3, 5), 12)
    torch.testing.assert_close(z[0], whole[[2, 0]], rtol=1e-3, atol=1e-4)


def test_a_row_that_joins_later_moves_as_from_its_own_beginning() -> None:
    """Runs that began at different times share a batch: a young memory holds zeros."""
    matrices, wanted = badly_scaled(2, 5)
    older = descended(matrices[:1], wanted[:1], 4)
    z = torch.zeros(1, 1, 5)
    memory = lbfgs_memory(z)
    for _ in range(4):
        z, memory = lbfgs_step(z, residual_gradient(matrices[:1], wanted[:1], z), memory, 10.0)
    torch.testing.assert_close(z[0], older)
    both = torch.cat((z, torch.zeros(1, 1, 5)), 1)
    joined = tuple(
        torch.cat(pair, 1) for pair in zip(memory, lbfgs_memory(both[:, 1:]), strict=True)
    )
    for _ in range(3):
        both, joined = lbfgs_step(both, residual_gradient(matrices, wanted, both), joined, 10.0)
    torch.testing.assert_close(both[0, :1], descended(matrices[:1], wanted[:1], 7))
    torch.testing.assert_close(both[0, 1:], descended(matrices[1:], wanted[1:], 3))


def test_the_solver_takes_it() -> None:
    torch.manual_seed(1)
    mix = torch.randn(8, 4)
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 1, 2, 8), ("linf",))
    observed = torch.randn(3, 4) @ mix.T
    options = SolverOptions(
        restarts=1, start_step="lbfgs", start_steps=10, start_rate=5.0, steps=20,
        signal_step="lbfgs", signal_rate=5.0,
    )  # fmt: skip
    problem = RedProblem(observed, lambda z: z @ mix.T, dictionary)
    end = Run(problem, torch.zeros(3, 1, 4), options).end()
    assert end.residual.norm(dim=1).max() < 1e-2
