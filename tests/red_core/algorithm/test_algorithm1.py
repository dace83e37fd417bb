"""Algorithm 1: one step by hand, the c_a problem against a convex solver, recovery, competition."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from red_core.algorithm.algorithm1 import solve
from red_core.algorithm.options import ACCELERATIONS, SolverOptions
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.prox import lambda_max
from red_core.algorithm.z_steps import random_starts
from tests.red_core.stepping import Run

FROZEN = SolverOptions(
    restarts=1, start_steps=0, signal_step="frozen", lambda_fraction=0.2, steps=3000
)


def zeros(instance, starts: int = 1) -> torch.Tensor:
    return torch.zeros(len(instance.problem), starts, instance.z_star.shape[1]).double()


def test_three_steps_of_the_paper_preset_by_hand(make_instance):
    """Algorithm 1 with prox of eta * lambda, in numpy; both updates read iterate k."""
    instance = make_instance(items=1)
    options = replace(PRESETS["paper"], start_steps=0, restarts=1)
    start = torch.randn(1, 1, 4, dtype=torch.float64)
    solver = Run(instance.problem, start, options)

    (W,), slope = (w.numpy() for w in instance.network.weights), instance.network.slope
    D, x = instance.dictionary.atoms.numpy(), instance.problem.observed[0].numpy()
    eta_c = 1 / np.linalg.norm(D, 2) ** 2
    blocks = [instance.dictionary.block(i, j) for i in range(3) for j in range(2)]
    z, c_a, v, t = start[0, 0].numpy(), np.zeros(D.shape[1]), np.zeros(D.shape[1]), 1.0
    lam = None
    for _ in range(3):
        before = W @ z
        image = np.where(before > 0, before, slope * before)
        if lam is None:
            correlation = D.T @ (x - image)
            lam = 0.35 * max(np.linalg.norm(correlation[block]) for block in blocks)
        R = np.diag(np.where(before > 0, 1.0, slope))
        z = z - 0.003 * W.T @ R @ (image + D @ c_a - x)
        forward = v - eta_c * D.T @ (image + D @ v - x)
        new = np.zeros_like(c_a)
        for block in blocks:
            norm = np.linalg.norm(forward[block])
            new[block] = max(0.0, 1 - eta_c * lam / norm) * forward[block]
        t_next = (1 + np.sqrt(1 + 4 * t**2)) / 2
        v, c_a, t = new + (t - 1) / t_next * (new - c_a), new, t_next

        solver.step()
        np.testing.assert_allclose(solver.state.z[0, 0], z, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(solver.state.c_a[0, 0], c_a, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(solver.state.lam[0], lam)
    assert np.linalg.norm(c_a) > 0


@pytest.mark.parametrize("acceleration", ACCELERATIONS)
@pytest.mark.parametrize("pixels", [30, 12])
def test_c_a_agrees_with_an_independent_convex_solver(
    make_instance, convex_solution, pixels, acceleration
):
    instance = make_instance(widths=(4, pixels))
    options = replace(FROZEN, acceleration=acceleration)
    end = Run(instance.problem, zeros(instance), options).end()
    assert bool((end.gap < 1e-6).all())
    for item, target in enumerate(instance.problem.observed):  # G(0) = 0
        solution, value = convex_solution(instance.dictionary, target, float(end.lam[item]))
        assert float(end.loss[item]) == pytest.approx(value, abs=1e-6)
        if pixels == 30:  # D_a has full column rank, so that c_a is unique
            np.testing.assert_allclose(end.c_a[item], solution, atol=1e-4)


def test_the_gap_is_never_negative_and_bounds_the_suboptimality(make_instance, convex_solution):
    instance = make_instance(items=2)
    options = replace(FROZEN, steps=60)
    iterates = list(Run(instance.problem, zeros(instance), options).path())
    for item, target in enumerate(instance.problem.observed):
        lam = float(iterates[-1].lam[item])
        _, value = convex_solution(instance.dictionary, target, lam)
        for iterate in iterates:
            assert float(iterate.gap[item]) >= max(0.0, float(iterate.loss[item]) - value) - 1e-9


def test_restarted_momentum_converges_far_faster(make_instance):
    """O'Donoghue and Candes: momentum overshoots a sharp minimum, restarts stop it."""
    instance = make_instance(widths=(4, 30))
    gap = {}
    for acceleration in ACCELERATIONS:
        options = replace(FROZEN, steps=250, lambda_fraction=0.02, acceleration=acceleration)
        gap[acceleration] = Run(instance.problem, zeros(instance), options).end().gap
    assert bool((gap["restart"] < 0.01 * gap["nesterov"]).all())
    assert bool((gap["restart"] < 0.01 * gap["none"]).all())


@pytest.mark.parametrize("acceleration", ACCELERATIONS)
def test_lambda_max_silences_c_a_and_a_little_less_does_not(make_instance, acceleration):
    instance = make_instance()
    ends = {}
    # A hair above lambda_max: at it the strongest block is exactly on the threshold, a tie that
    # the rounding of lambda_max's own product decides.
    above = 1 + 1e-9
    for fraction in (above, 0.99):
        options = replace(FROZEN, steps=200, acceleration=acceleration, lambda_fraction=fraction)
        ends[fraction] = Run(instance.problem, zeros(instance), options).end()
    assert not ends[above].c_a.any()
    assert bool(ends[0.99].c_a.any(1).all())


def test_an_iterate_describes_itself(make_instance):
    """loss, gradient norm and residual against autograd on the paper's f."""
    instance = make_instance()
    solver = Run(
        instance.problem, torch.randn(3, 2, 4).double(), replace(PRESETS["paper"], start_steps=3)
    )
    for _ in range(8):
        solver.step()
    it = solver.observe()
    z, c_a = it.z.clone().requires_grad_(), it.c_a.clone().requires_grad_()
    f = (
        instance.problem.observed - instance.network(z) - instance.dictionary.combine(c_a)
    ).square()
    f.sum().backward()
    norm = torch.cat((z.grad, c_a.grad), 1).norm(dim=1)
    torch.testing.assert_close(it.gradient_norm, norm)
    h = it.block_energy.sum((1, 2))
    torch.testing.assert_close(it.loss, 0.5 * f.sum(1).detach() + it.lam * h)
    torch.testing.assert_close(it.residual.square(), f.detach())
    torch.testing.assert_close(it.image, instance.network(it.z))
    assert it.c_a.any()
    assert (it.k, it.phase) == (8, "joint")


def test_the_proximal_gradient_step_vanishes_at_a_stationary_point_only(make_instance):
    """For a linear G the problem is convex: a zero proximal-gradient step is a solution."""
    instance = make_instance(slope=1.0)
    rate = 0.5 / float(torch.linalg.svdvals(instance.network.weights[0])[0]) ** 2
    options = replace(
        FROZEN, signal_step="gradient", signal_rate=rate, acceleration="none", lambda_fraction=0.05
    )
    solver = Run(instance.problem, torch.randn(3, 1, 4).double(), options)
    assert bool((solver.observe().prox_residual > 0.1).all())
    end = solver.end()
    assert bool((end.prox_residual < 1e-6).all())
    assert bool((end.gradient_norm > 1e-3).all())  # of f alone: lambda h keeps it from zero


def test_a_realizable_instance_is_solved(make_instance):
    """Signal, block and attack of x' = G(z*) + D_a c_a*, from starts that know nothing of it."""
    instance = make_instance(items=4, widths=(4, 60))
    top = float(torch.linalg.svdvals(instance.network.weights[0])[0])
    options = SolverOptions(
        restarts=3,
        start_steps=60,
        start_step="gradient",
        start_rate=1 / top**2,
        carry=3,
        halve_at=(100, 200),
        steps=2000,
        signal_rate=0.5 / top**2,
        acceleration="none",
        lambda_fraction=1e-3,
    )
    starts = random_starts(range(4), 3, 4).double()
    end = Run(instance.problem, starts, options).end()
    attack = instance.dictionary.combine(instance.c_star)
    scale = attack.norm(dim=1)
    assert bool(((end.z - instance.z_star).norm(dim=1) < 0.01 * scale).all())
    assert bool(((instance.dictionary.combine(end.c_a) - attack).norm(dim=1) < 0.01 * scale).all())
    largest = end.block_energy.flatten(1).argmax(1)
    assert [divmod(int(block), 2) for block in largest] == instance.blocks


def test_the_objective_falls_at_every_step_with_a_safe_rate(make_instance):
    """Without momentum, with eta_z < 2 / (3 ||W||^2) beside eta_c = 1 / ||D_a||^2.

    The two updates come from the same iterate, so each rate alone being safe is not enough.
    """
    instance = make_instance(slope=1.0)
    top = float(torch.linalg.svdvals(instance.network.weights[0])[0])
    options = replace(
        PRESETS["paper"], start_steps=0, steps=200, acceleration="none", signal_rate=0.5 / top**2
    )
    starts = torch.randn(3, 1, 4).double()
    losses = torch.stack([it.loss for it in Run(instance.problem, starts, options).path()])
    assert bool((losses[1:] <= losses[:-1] + 1e-12).all())
    assert bool((losses[-1] < 0.5 * losses[0]).all())


def test_the_start_phase_is_defense_gan(make_instance):
    """c_a stays zero and z descends on 1/2 ||x' - G(z)||^2; lambda comes from where it ends."""
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=40, start_step="gradient", start_rate=0.01)
    solver = Run(instance.problem, torch.randn(3, 1, 4).double(), options)
    before = solver.observe()
    for k in range(40):
        assert not bool(solver.state.joint.any()), k
        assert not solver.state.c_a.any()
        solver.step()
    after = solver.observe()
    assert after.phase == "joint"
    assert bool((after.residual.norm(dim=1) < before.residual.norm(dim=1)).all())
    target = instance.problem.observed - instance.network(after.z)
    torch.testing.assert_close(after.lam, 0.35 * lambda_max(target, instance.dictionary))


def test_lambda_can_be_recomputed_at_every_step(make_instance):
    """It is then 0.35 lambda_max of x' - G(z^k), from which both updates of step k + 1 come."""
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=4, steps=8, signal_rate=0.02)
    starts = torch.randn(3, 1, 4).double()
    once = list(solve(instance.problem, starts, options))
    every = list(solve(instance.problem, starts, replace(options, lambda_every_step=True)))
    for k, (fixed, now) in enumerate(zip(once, every, strict=True)):
        if k <= 5:  # the alternation begins at iterate 4; step 5 takes the lambda of z^4
            torch.testing.assert_close(now.z, fixed.z)
            torch.testing.assert_close(now.c_a, fixed.c_a)
            continue
        assert fixed.lam.equal(once[4].lam)
        target = instance.problem.observed - instance.network(every[k - 1].z[:, 0])
        torch.testing.assert_close(now.lam, 0.35 * lambda_max(target, instance.dictionary))
    assert not torch.allclose(every[-1].lam, once[-1].lam)
    assert not torch.allclose(every[-1].c_a, once[-1].c_a)


def test_lambda_recomputed_at_every_step_is_constant_while_z_is_frozen(make_instance):
    instance = make_instance()
    options = replace(PRESETS["paper-frozen"], start_steps=3, steps=6)
    starts = torch.randn(3, 2, 4).double()
    once = list(solve(instance.problem, starts, options))
    every = list(solve(instance.problem, starts, replace(options, lambda_every_step=True)))
    for fixed, now in zip(once, every, strict=True):
        assert now.lam.equal(fixed.lam)
        assert now.c_a.equal(fixed.c_a)


def test_c_a_after_z_is_a_step_on_z_and_then_one_on_c_a(make_instance):
    instance = make_instance()
    together = replace(PRESETS["paper"], start_steps=0, signal_rate=0.02)
    options = replace(together, c_a_after_z=True)
    starts = torch.randn(3, 1, 4).double()
    in_turn, by_hand, printed = (
        Run(instance.problem, starts, each) for each in (options, together, together)
    )
    for _ in range(8):
        in_turn.step()
        by_hand.step("z")
        by_hand.step("c_a")
        printed.step()
    torch.testing.assert_close(in_turn.state.z, by_hand.state.z)
    torch.testing.assert_close(in_turn.state.c_a, by_hand.state.c_a)
    assert not torch.allclose(in_turn.state.c_a, printed.state.c_a)


def test_a_step_on_z_alone_leaves_lambda(make_instance):
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=0, signal_rate=0.02, lambda_every_step=True)
    run = Run(instance.problem, torch.randn(3, 1, 4).double(), options)
    before = run.state.lam
    run.step("z")
    assert run.state.lam.equal(before)
    run.step("c_a")
    target = instance.problem.observed - instance.network(run.state.z[:, 0])
    torch.testing.assert_close(run.state.lam, 0.35 * lambda_max(target, instance.dictionary))


def test_the_tether_pulls_z_to_its_anchor_and_counts(make_instance):
    """w/2 ||z - anchor||^2 in the objective, w (z - anchor) in its gradient, in both phases."""
    instance = make_instance(items=2)
    z, anchor = torch.randn(2, 2, 1, 4).double()
    for start_steps in (0, 5):
        options = replace(
            PRESETS["paper"],
            start_steps=start_steps,
            start_step="gradient",
            start_rate=0.01,
            signal_rate=0.01,
        )
        loose = Run(instance.problem, z, options)
        tied = Run(instance.problem, z, replace(options, latent_weight=0.4), anchor)
        away = z - anchor
        energy = 0.2 * away[:, 0].square().sum(1)
        torch.testing.assert_close(tied.observe().loss, loose.observe().loss + energy)
        for solver in (loose, tied):
            solver.step()
        torch.testing.assert_close(tied.state.z, loose.state.z - 0.01 * 0.4 * away)


@pytest.mark.parametrize("update", ["z", "c_a"])
def test_one_variable_can_be_moved_alone(make_instance, update):
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=0, restarts=1)
    starts = torch.randn(3, 1, 4).double()
    one, both = (Run(instance.problem, starts, options) for _ in range(2))
    one.step(update)
    both.step()
    moved, still = (one.state.z, one.state.c_a) if update == "z" else (one.state.c_a, one.state.z)
    assert still.equal(torch.zeros_like(still) if update == "z" else starts)
    assert moved.equal(
        both.state.z if update == "z" else both.state.c_a
    )  # both come from iterate k
    assert not moved.equal(starts if update == "z" else torch.zeros_like(moved))


def test_solve_is_the_plain_loop_over_step(make_instance):
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=5, steps=9)
    starts = torch.randn(3, 2, 4).double()
    states = list(solve(instance.problem, starts, options))
    assert [state.k.tolist() for state in states] == [[k] * 3 for k in range(15)]
    by_hand = Run(instance.problem, starts, options)
    for state in states:
        assert state.z.equal(by_hand.state.z)
        assert state.c_a.equal(by_hand.state.c_a)
        by_hand.step()


def test_an_iterate_does_not_change_after_it_was_seen(make_instance):
    instance = make_instance()
    solver = Run(instance.problem, torch.randn(3, 2, 4).double(), PRESETS["paper"])
    first = solver.observe()
    kept = (first.z.clone(), first.c_a.clone(), first.image.clone(), first.lam.clone())
    for _ in range(120):
        solver.step()
    assert all(
        a.equal(b) for a, b in zip(kept, (first.z, first.c_a, first.image, first.lam), strict=True)
    )
    assert not solver.observe().z.requires_grad


def test_as_many_starts_as_items_are_wanted(make_instance):
    instance = make_instance(items=3)
    with pytest.raises(ValueError, match="2 items of starts for 3"):
        Run(instance.problem, torch.zeros(2, 1, 4).double(), FROZEN)
