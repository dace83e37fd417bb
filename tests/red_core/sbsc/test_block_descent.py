"""Descent on given blocks: the minimum that a plain solver finds, certified, item by item."""

import pytest
import torch

from red_core.sbsc import ElasticNet, minimise_plainly
from red_core.sbsc.block_descent import TOLERANCE, descend


def problem(union, share: float, lam: float = 0.9):
    """gamma as a share of the largest correlation; three of four classes, both attacks."""
    largest = union.blocks.correlations(union.target).amax(1, keepdim=True)
    net = ElasticNet((share * largest).expand(-1, len(union.blocks)), lam)
    items = len(union.target)
    classes = torch.ones(items, 4, dtype=torch.bool)
    classes[torch.arange(items), (union.classes + 1) % 4] = False
    attacks = torch.ones(items, 2, dtype=torch.bool)
    return net, union.blocks.active(classes, attacks)


def solve(union, net, active):
    return descend(union.blocks, union.target, net, active, union.blocks.zeros(len(union.target)))


@pytest.mark.parametrize("likeness", [0.0, 3.0])
@pytest.mark.parametrize("share", [0.5, 0.05])
def test_the_plain_solver_finds_the_same_minimum(make_union, likeness, share) -> None:
    union = make_union(items=4, likeness=likeness)
    net, active = problem(union, share)
    found = solve(union, net, active)
    assert float(found.gap.max()) <= TOLERANCE
    values = net.primal(found.residual, union.blocks.norms(found.coefficients))
    for item, target in enumerate(union.target):
        some = active[item].nonzero()[:, 0].tolist()
        columns = torch.cat([union.columns[:, union.parts[g]] for g in some], dim=1)
        widths = [union.parts[g].stop - union.parts[g].start for g in some]
        ends = torch.tensor(widths).cumsum(0).tolist()
        parts = [slice(e - w, e) for e, w in zip(ends, widths, strict=True)]
        _, value = minimise_plainly(columns, parts, target, net.gamma[item, some], net.lam)
        assert float(values[item]) == pytest.approx(value, rel=1e-8)


def test_blocks_that_are_not_active_stay_zero(make_union) -> None:
    union = make_union()
    net, active = problem(union, 0.1)
    start = torch.ones(len(union.target), union.blocks.size, dtype=torch.float64)
    found = descend(union.blocks, union.target, net, active, start)
    norms = union.blocks.norms(found.coefficients)
    assert float(norms[~active].max()) == 0
    torch.testing.assert_close(
        found.coefficients, solve(union, net, active).coefficients, rtol=0, atol=1e-4
    )


def test_the_residual_is_that_of_the_coefficients(make_union) -> None:
    union = make_union()
    found = solve(union, *problem(union, 0.1))
    signal, attack = union.blocks.contributions(found.coefficients)
    torch.testing.assert_close(
        union.target - signal.sum(1) - attack.sum((1, 2)), found.residual, rtol=0, atol=1e-12
    )


def test_the_gap_bounds_how_far_any_c_is_from_the_minimum(make_union) -> None:
    union = make_union()
    net, active = problem(union, 0.2)
    best = solve(union, net, active)
    lowest = net.primal(best.residual, union.blocks.norms(best.coefficients))
    for size in (0.0, 1e-6, 1e-3, 0.1):
        noise = size * torch.randn_like(best.coefficients) * (best.coefficients != 0)
        c = best.coefficients + noise
        residual = union.blocks.residual(union.target, c, union.blocks.groups(active))
        norms = union.blocks.norms(c)
        correlations = union.blocks.correlations(residual, active)
        gap = net.relative_gap(union.target, residual, norms, correlations)
        value = net.primal(residual, norms)
        assert bool((value - lowest <= gap * value + 1e-12).all())


def test_an_item_does_not_depend_on_its_neighbours(make_union) -> None:
    union = make_union(likeness=1.0)
    net, active = problem(union, 0.1)
    together = solve(union, net, active)
    for item in range(len(union.target)):
        one = torch.tensor([item])
        alone = descend(
            union.blocks, union.target[one], net.take(one), active[one], union.blocks.zeros(1)
        )
        torch.testing.assert_close(
            alone.coefficients[0], together.coefficients[item], rtol=0, atol=1e-7
        )


@pytest.mark.parametrize("lam", [0.0, -0.5, 1.1])
def test_lambda_must_lie_above_zero_and_at_most_at_one(lam: float) -> None:
    with pytest.raises(ValueError, match="lambda must lie above 0 and at most at 1"):
        ElasticNet(torch.ones(1, 1), lam)


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan"), float("inf")])
def test_gamma_must_be_positive(gamma: float) -> None:
    with pytest.raises(ValueError, match="gamma must be positive"):
        ElasticNet(torch.tensor([[gamma]]), 0.5)
