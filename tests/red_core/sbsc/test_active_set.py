"""The active set over all blocks: the minimum of a full solve, and few blocks on the way."""

import cvxpy as cp
import pytest
import torch

from red_core.sbsc import ElasticNet, minimise, minimise_plainly

LAM = 0.9


def net_of(union, share: float) -> ElasticNet:
    largest = union.blocks.correlations(union.target).amax(1, keepdim=True)
    return ElasticNet((share * largest).expand(-1, len(union.blocks)), LAM)


@pytest.mark.parametrize("share", [0.6, 0.2, 0.02])
@pytest.mark.parametrize("likeness", [0.0, 2.0])
def test_the_full_solve_has_the_same_objective(make_union, share, likeness) -> None:
    union = make_union(items=4, likeness=likeness)
    net = net_of(union, share)
    found = minimise(union.blocks, union.target, net)
    assert float(found.gap.max()) <= 1e-9
    values = net.primal(found.residual, union.blocks.norms(found.coefficients))
    for item, target in enumerate(union.target):
        _, value = minimise_plainly(union.columns, union.parts, target, net.gamma[item], LAM)
        assert float(values[item]) == pytest.approx(value, rel=1e-8)


def test_an_independent_solver_agrees(make_union) -> None:
    union = make_union(items=2)
    net = net_of(union, 0.1)
    found = minimise(union.blocks, union.target, net)
    values = net.primal(found.residual, union.blocks.norms(found.coefficients))
    for item, target in enumerate(union.target.numpy()):
        c = cp.Variable(union.columns.shape[1])
        norms = [cp.norm(c[part], 2) for part in union.parts]
        squares = cp.sum_squares(c)
        gamma = float(net.gamma[item, 0])
        value = 0.5 * cp.sum_squares(target - union.columns.numpy() @ c)
        value += gamma * (LAM * cp.sum(cp.hstack(norms)) + (1 - LAM) / 2 * squares)
        problem = cp.Problem(cp.Minimize(value))
        problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
        assert float(values[item]) == pytest.approx(problem.value, rel=1e-6)


def test_nothing_is_active_beyond_the_largest_correlation(make_union) -> None:
    union = make_union()
    found = minimise(union.blocks, union.target, net_of(union, 1.0001 / LAM))
    assert float(found.coefficients.abs().max()) == 0
    torch.testing.assert_close(found.residual, union.target)


def test_just_below_it_one_block_is(make_union) -> None:
    union = make_union()
    found = minimise(union.blocks, union.target, net_of(union, 0.999 / LAM))
    assert (union.blocks.norms(found.coefficients) > 0).sum(1).tolist() == [1] * 8
