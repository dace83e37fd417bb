"""Starts compete, losers and settled items leave, and nobody's iterates change for it."""

from dataclasses import replace

import pytest
import torch

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import AttackDictionary, RedProblem
from tests.red_core.stepping import Run

FROZEN = SolverOptions(
    restarts=1, start_steps=0, signal_step="frozen", lambda_fraction=0.2, steps=3000
)


def test_halving_counts_the_steps_of_the_alternation(make_instance):
    instance = make_instance()
    options = replace(PRESETS["paper"], start_steps=6, carry=4, halve_at=(2, 5), steps=8)
    solver = Run(instance.problem, torch.randn(3, 5, 4).double(), options)
    carried = []
    while not solver.done:
        solver.step()
        carried.append(solver.state.z.shape[1])
    assert carried == [5] * 5 + [4] * 2 + [2] * 3 + [1] * 4


def duel() -> tuple[RedProblem, torch.Tensor]:
    """x' = 3 e_1 is all attack; start 0 lies at z* = 0, start 1 has the smaller MSE to x'.

    G(z) = z (1, 1, 0) / sqrt 2, D_a = [e_1, e_3]. The second item has its starts exchanged.
    """
    direction = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64) / 2**0.5
    deltas = torch.eye(3, dtype=torch.float64)[[0, 2]].view(2, 1, 1, 3)
    dictionary = AttackDictionary.from_attacks(deltas, ("linf",))
    observed = torch.tensor([[3.0, 0.0, 0.0]], dtype=torch.float64).expand(2, -1)
    starts = torch.tensor([[[0.0], [3 / 2**0.5]], [[3 / 2**0.5], [0.0]]], dtype=torch.float64)
    return RedProblem(observed, lambda z: z * direction, dictionary), starts


DUEL = replace(FROZEN, carry=2, lambda_fraction=0.05, halve_at=(30,), steps=60)


def test_lambda_comes_from_the_start_nearest_to_x():
    problem, starts = duel()
    solver = Run(problem, starts, DUEL)
    # Its residual is (1.5, -1.5, 0), so that lambda_max = 1.5, where start z* = 0 would give 3.
    torch.testing.assert_close(solver.state.lam, torch.full((2,), 0.05 * 1.5, dtype=torch.float64))


def test_a_start_that_is_out_has_no_say_in_lambda():
    """Of the first item the start nearer to x' is out; the second item carries both."""
    problem, starts = duel()
    options = replace(DUEL, halve_at=(), lambda_every_step=True)
    solver = Run(problem, starts, options)
    alive = torch.tensor([[True, False], [True, True]])
    solver.state = replace(solver.state, alive=alive)
    solver.step()
    expected = 0.05 * torch.tensor([3.0, 1.5], dtype=torch.float64)
    torch.testing.assert_close(solver.state.lam, expected)


def test_one_carried_start_is_the_one_of_lowest_mse():
    problem, starts = duel()
    solver = Run(problem, starts, replace(DUEL, carry=1))
    assert solver.observe().leader.tolist() == [1, 0]
    assert solver.state.z.shape == (2, 1, 1)


def test_halving_keeps_the_start_that_explains_x_with_the_attack():
    problem, starts = duel()
    solver = Run(problem, starts, DUEL)
    assert solver.observe().leader.tolist() == [1, 0]
    for _ in range(29):
        solver.step()
    assert solver.state.z.shape[1] == 2
    solver.step()
    assert solver.state.z.shape[1] == 1
    assert not solver.state.z.any()
    assert solver.observe().leader.tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["gradient", "adam"])
def test_a_survivor_goes_on_as_if_it_had_been_alone(make_instance, kind):
    """Momenta and anchors are cut with the starts: nobody inherits another's."""
    instance = make_instance(items=2)
    near = instance.z_star + 0.1
    far = -3 * instance.z_star
    options = replace(
        FROZEN,
        carry=3,
        halve_at=(5, 9),
        steps=20,
        signal_step=kind,
        signal_rate=0.02,
        latent_weight=0.3,
    )
    crowd = torch.stack((far, near, far + 1), 1)
    crowd[1] = crowd[1, [1, 2, 0]]
    together = list(Run(instance.problem, crowd, options, anchor=crowd + 0.1).path())
    alone = list(Run(instance.problem, near[:, None], options, near[:, None] + 0.1).path())
    assert together[-1].leader.tolist() == [1, 0]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.z, other.z)
        torch.testing.assert_close(one.c_a, other.c_a)


def test_items_that_stay_go_on_as_if_nobody_had_left(make_instance):
    instance = make_instance(items=4)
    options = replace(
        FROZEN, carry=2, halve_at=(12,), steps=20, signal_step="adam", latent_weight=0.1
    )
    starts = torch.randn(4, 2, 4).double()
    whole = Run(instance.problem, starts, options, starts + 0.1)
    cut = Run(instance.problem, starts, options, starts + 0.1)
    for _ in range(7):
        whole.step()
        cut.step()
    stay = torch.tensor([3, 1])
    cut.take(stay)
    end, after = whole.end(), cut.end()
    for name in ("z", "c_a", "image", "loss", "lam", "leader"):
        torch.testing.assert_close(getattr(after, name), getattr(end, name)[stay])


def test_an_item_settles_only_where_its_gap_and_its_gain_are_small(make_instance):
    instance = make_instance()
    starts = torch.zeros(3, 1, 4).double()
    never = Run(instance.problem, starts, replace(FROZEN, steps=300))
    solver = Run(instance.problem, starts, replace(FROZEN, steps=300, tolerance=1e-4))
    assert not solver.state.settled.any()
    it = solver.end()
    assert solver.k < 300
    assert bool((it.gap <= 1e-4 * it.loss).all())
    end = never.end()
    assert never.k == 300
    torch.testing.assert_close(it.loss, end.loss, rtol=1e-4, atol=0)
