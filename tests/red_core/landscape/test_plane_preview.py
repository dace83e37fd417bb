from dataclasses import replace

import pytest
import torch

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.landscape import planes_ahead, preview_paths, preview_plane
from tests.red_core.stepping import Run

ADAM = SolverOptions(
    restarts=1,
    start_steps=3,
    steps=80,
    signal_step="adam",
    signal_rate=0.05,
    acceleration="restart",
    lambda_fraction=0.1,
    latent_weight=0.2,
)
GRADIENT = replace(ADAM, signal_step="gradient", signal_rate=0.001, steps=400, latent_weight=0.0)
LONG_ADAM = replace(ADAM, signal_rate=0.002, steps=400, latent_weight=0.0)


def alternation(problem: RedProblem, options: SolverOptions, anchor: torch.Tensor) -> torch.Tensor:
    """Every z of a run's alternation, [steps + 1, d]."""
    start = torch.randn(1, 1, 4, dtype=torch.float64)
    solver = Run(problem, start, options, anchor[None, None])
    path = []
    while not solver.done:
        if solver.k >= options.start_steps:
            path.append(solver.state.z[0, 0])
        solver.step()
    return torch.stack([*path, solver.state.z[0, 0]])


def test_with_adam_it_is_the_run_itself(make_instance) -> None:
    problem = make_instance(items=1).problem
    anchor = torch.randn(4, dtype=torch.float64)
    path = alternation(problem, ADAM, anchor)
    (previewed,) = preview_paths(problem, path[:1], ADAM, anchor[None], steps=25)
    torch.testing.assert_close(previewed, path[:26])


@pytest.mark.parametrize(
    "options", [ADAM, GRADIENT, LONG_ADAM], ids=["adam", "gradient", "long adam"]
)
def test_the_bounds_hold_the_run_that_follows(make_instance, options: SolverOptions) -> None:
    for seed in range(4):
        torch.manual_seed(seed)
        problem = make_instance(items=1, seed=seed).problem
        anchor = torch.zeros(4, dtype=torch.float64)
        path = alternation(problem, options, anchor)
        ((plane, bounds),) = planes_ahead(problem, path[:1], options, anchor[None], 40)
        assert float(plane.off_plane(path[0])) < 1e-9
        assert bounds.contains(plane.coordinates(path)).all()


def test_a_slow_gradient_step_is_lengthened(make_instance) -> None:
    problem = make_instance(items=1).problem
    path = alternation(problem, GRADIENT, torch.zeros(4, dtype=torch.float64))
    (previewed,) = preview_paths(problem, path[:1], GRADIENT, steps=40)
    reached = (previewed[-1] - path[0]).norm() / (path[-1] - path[0]).norm()
    plain = (path[40] - path[0]).norm() / (path[-1] - path[0]).norm()
    assert reached > 2 * plain
    assert 0.5 < reached < 1.5


def test_frozen_z_gets_the_plane_of_the_curvatures(make_instance) -> None:
    problem = make_instance(items=1).problem
    z = torch.randn(4, dtype=torch.float64)
    ((plane, bounds),) = planes_ahead(problem, z[None], replace(ADAM, signal_step="frozen"))
    assert "largest curvature" in plane.names[0]
    assert "keeps z" in plane.words
    assert bounds.contains(plane.coordinates(z))
    assert bounds.right - bounds.left >= 2


@pytest.mark.parametrize("signal_step", ["adam", "frozen"])
def test_z_of_two_dimensions_is_rehearsed_flat(make_instance, signal_step) -> None:
    problem = make_instance(items=1).problem
    network, shapes = problem.generator, []

    def squared(z: torch.Tensor) -> torch.Tensor:
        shapes.append(z.shape[1:])
        return network(z.flatten(1))

    z, anchor = torch.randn(2, 4, dtype=torch.float64)
    options = replace(ADAM, signal_step=signal_step)
    (plain,) = planes_ahead(problem, z[None], options, anchor[None], steps=10)
    square, pull = z.view(1, 2, 2), anchor.view(1, 2, 2)
    (shaped,) = planes_ahead(replace(problem, generator=squared), square, options, pull, steps=10)
    assert set(shapes) == {(2, 2)}
    torch.testing.assert_close(plain[0].axes, shaped[0].axes)
    assert plain[1] == shaped[1]


def test_iterates_that_explode_end_the_rehearsal(make_instance) -> None:
    problem = make_instance(items=1).problem
    wild = replace(GRADIENT, signal_rate=10.0)
    (path,) = preview_paths(problem, torch.randn(1, 4, dtype=torch.float64), wild, steps=2000)
    assert len(path) < 2001
    assert bool(path.isfinite().all())
    assert f"preview of {len(path[:9]) - 1} steps" in preview_plane(path[:9]).statement


def test_several_are_previewed_as_each_alone(make_instance) -> None:
    problem = make_instance(items=3).problem
    z, anchors = torch.randn(2, 3, 4, dtype=torch.float64)
    together = preview_paths(problem, z, ADAM, anchors, steps=15)
    for item in range(3):
        one = problem.take(torch.tensor([item]))
        (alone,) = preview_paths(one, z[item, None], ADAM, anchors[item, None], steps=15)
        torch.testing.assert_close(together[item], alone)


def test_one_that_explodes_leaves_the_others_whole(make_instance) -> None:
    problem = make_instance(items=2).problem
    z = torch.randn(2, 4, dtype=torch.float64)
    z[0] = torch.inf
    lost, kept = preview_paths(problem, z, ADAM, steps=15)
    assert (len(lost), len(kept)) == (0, 16)
    assert bool(kept.isfinite().all())
