"""L-BFGS against quadratics, whose minima are known."""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import Solver
from red_core.algorithm.lbfgs import LbfgsStep
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, Linearised, RedProblem


def descended(matrices: Tensor, wanted: Tensor, steps: int, longest: float = 10.0) -> Tensor:
    """z [R, d] after steps down 1/2 ||A z - y||^2, A [R, n, d], y [R, n], from zero."""
    z, step = torch.zeros(len(wanted), matrices.shape[2]), LbfgsStep(longest)
    for _ in range(steps):
        point = Linearised.at(lambda z: torch.einsum("rnd,rd->rn", matrices, z), z)
        z = step(point, point.image.detach() - wanted)
    return z


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
    wanted, step = torch.full((1, 3), 1e4), LbfgsStep(5.0)
    z = torch.zeros(1, 3)
    for number in range(4):
        point = Linearised.at(lambda z: z**3, z)
        moved = step(point, point.image.detach() - wanted) - z
        assert moved.norm() <= (5.0 if number else 1.0) * (1 + 1e-5)
        z = z + moved + 1e-2


def test_kept_rows_go_on_as_before() -> None:
    matrices, wanted = badly_scaled(3, 5)
    z, step = torch.zeros(3, 5), LbfgsStep(10.0)
    for number in range(12):
        if number == 6:
            rows = torch.tensor([2, 0])
            step.keep(rows)
            matrices, wanted, z = matrices[rows], wanted[rows], z[rows]
        point = Linearised.at(lambda z, a=matrices: torch.einsum("rnd,rd->rn", a, z), z)
        z = step(point, point.image.detach() - wanted)
    whole = descended(*badly_scaled(3, 5), 12)
    torch.testing.assert_close(z, whole[[2, 0]], rtol=1e-3, atol=1e-4)


def test_the_solver_takes_it() -> None:
    torch.manual_seed(1)
    mix = torch.randn(8, 4)
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 1, 2, 8), ("linf",))
    observed = torch.randn(3, 4) @ mix.T
    options = SolverOptions(
        restarts=1, start_step="lbfgs", start_steps=10, start_rate=5.0, steps=20,
        signal_step="lbfgs", signal_rate=5.0,
    )  # fmt: skip
    solver = Solver(
        RedProblem(observed, lambda z: z @ mix.T, dictionary), torch.zeros(3, 1, 4), options
    )
    while not solver.done:
        solver.step()
    assert solver.snapshot().residual.norm(dim=1).max() < 1e-2
