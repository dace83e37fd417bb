"""The descents of Sections 4.1 to 4.3: their steps, their records, the solver's agreement."""

from dataclasses import replace

import pytest
import torch

from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import block_soft_threshold, penalty
from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory.descent import Descent, DescentOptions, descend, step_sizes
from tests.red_core.stepping import Run

ATTACKED = InstanceSettings(
    m=40, d=3, attack=True, training=6, hidden=40, examples=3, parameter=0.3
)
CLEAN = replace(ATTACKED, attack=False)


def test_alternating_steps_follow_the_gradient_of_f_in_both():
    made = make_instances(ATTACKED, 2)
    descent = Descent(made, DescentOptions(method="alternating"))
    for _ in range(3):
        z, c_a = descent.z, descent.c_a
        grad_z, grad_c = made.gradient(z, c_a)
        descent.step()
        assert torch.equal(descent.z, z - descent.eta[:, None] * grad_z)
        assert torch.equal(descent.c_a, c_a - descent.eta[:, None] * grad_c), "from iterate k"
    assert descent.k == 3


def test_inversion_holds_c_a_at_the_truth():
    made = make_instances(ATTACKED)
    descent = Descent(made, DescentOptions(method="inversion"))
    descent.step()
    assert torch.equal(descent.c_a, made.c_star)
    point = descent.snapshot()
    grad_z, _ = made.gradient(descent.z, descent.c_a)
    assert torch.allclose(point.gradient_norm, grad_z.norm(dim=1)), "of z alone"


def test_proximal_steps_minimise_f_plus_lambda_h():
    made = make_instances(ATTACKED)
    descent = Descent(made, DescentOptions(method="proximal", lambda_fraction=0.2))
    start = made.gradient(made.z_start, made.c_start * 0)[1]
    largest = made.dictionary.energies(start).amax(dim=(-2, -1))
    assert torch.allclose(descent.lam, 0.2 * largest), "lambda_max of f, whose f has no half"
    z, c_a = descent.z, descent.c_a
    for _ in range(50):
        z, c_a = descent.z, descent.c_a
        before = descent.snapshot().loss
        descent.step()
        assert bool((descent.snapshot().loss <= before + 1e-12).all())
    wanted = block_soft_threshold(
        c_a - descent.eta[:, None] * made.gradient(z, c_a)[1],
        descent.eta * descent.lam,
        made.dictionary,
    )
    assert torch.equal(descent.c_a, wanted)
    loss = made.value(descent.z, descent.c_a) + descent.lam * penalty(descent.c_a, made.dictionary)
    assert torch.allclose(descent.snapshot().loss, loss)


def test_the_solver_gives_the_same_iterates_at_equal_steps():
    """Algorithm 1 with acceleration off, its eta twice the theorems' (f has no half)."""
    made = make_instances(ATTACKED)
    dictionary = replace(
        made.dictionary, atoms=made.dictionary.atoms[0], norms=made.dictionary.norms[0]
    )
    rate = 1 / dictionary.operator_norm_squared
    options = replace(
        PRESETS["paper"], start_steps=0, steps=40, acceleration="none", signal_step="gradient",
        signal_rate=rate, lambda_fraction=1e-12, carry=1,
    )  # fmt: skip
    problem = RedProblem(made.observed, made.network, dictionary)
    solver = Run(problem, made.z_start[:, None], options)
    eta = torch.full((len(made),), rate / 2, dtype=torch.float64)
    descent = Descent(made, DescentOptions(method="alternating"), eta)
    for _ in range(40):
        solver.step()
        descent.step()
    last, point = solver.observe(), descent.snapshot()
    assert torch.allclose(last.z, point.z, atol=1e-9)
    assert torch.allclose(last.c_a, point.c_a, atol=1e-9)
    assert torch.allclose(2 * last.loss, point.loss, atol=1e-9)
    assert torch.allclose(last.gradient_norm, point.gradient_norm, atol=1e-9)


def test_a_path_records_distances_and_mu():
    made = make_instances(ATTACKED)
    path = descend(made, DescentOptions(method="alternating", steps=25), every=10)
    assert path.k.tolist() == [0, 10, 20, 25]
    assert path.z.shape == (4, 3, 3)
    whole = torch.cat((path.z - made.z_star, path.c_a - made.c_star), dim=-1).norm(dim=-1)
    assert torch.allclose(torch.hypot(path.distance_z, path.distance_c), whole)
    assert torch.allclose(path.mu, path.gradient_norm / whole)
    grad = torch.cat(made.gradient(path.z[2], path.c_a[2]), dim=-1).norm(dim=-1)
    assert torch.allclose(path.gradient_norm[2], grad)
    assert bool((path.loss.diff(dim=0) < 0).all())


def test_arriving_is_told_once_and_ends_the_path():
    made = make_instances(replace(CLEAN, parameter=1.0))
    path = descend(made, DescentOptions(steps=5000, tolerance=1e-6))
    assert bool(path.success.all())
    for item, k in enumerate(path.arrived_at.tolist()):
        assert float(path.distance[k, item]) < 1e-6
        assert float(path.distance[k - 1, item]) >= 1e-6
    assert path.k[-1] == path.arrived_at.max()
    shown = path.mu_row[: path.arrived_at[0], 0]
    assert float(path.mu_mean[0]) == pytest.approx(float(shown.mean()))
    short = descend(made, DescentOptions(steps=2))
    assert short.arrived_at.tolist() == [-1, -1, -1]
    assert not bool(short.success.any())


def test_mu_is_nan_at_the_solution():
    made = make_instances(CLEAN)
    there = replace(made, z_start=made.z_star)
    path = descend(there, DescentOptions(steps=1))
    assert bool(path.mu[0].isnan().all())
    assert path.arrived_at.tolist() == [0, 0, 0]


def test_the_safe_step_bounds_the_jacobian_everywhere_and_the_local_one_on_the_way():
    deep = replace(ATTACKED, layers=3, activation="softplus", parameter=None, examples=4)
    made = make_instances(deep, 2)
    sizes = step_sizes(made)
    z = 3 * torch.randn(200, len(made), made.d, dtype=torch.float64)
    reach = made.network.jacobian(z)
    both = torch.cat((reach, made.dictionary.atoms.expand(*reach.shape[:-1], -1)), dim=-1)
    square = torch.linalg.matrix_norm(both, ord=2).square().amax(0)
    assert bool((sizes["safe"] <= 0.5 / square).all())
    assert bool((sizes["local"] >= sizes["safe"]).all())
    here = made.network.jacobian(made.z_star)
    here = torch.linalg.matrix_norm(torch.cat((here, made.dictionary.atoms), dim=-1), ord=2)
    assert bool((sizes["local"] <= 0.5 / here.square() * (1 + 1e-9)).all())
    assert bool((step_sizes(made, inversion=True)["safe"] > sizes["safe"]).all())


def test_leaky_layers_arrive_from_everywhere_with_the_safe_step():
    """mu >= 2 alpha^2 sigma_min(W)^2: no stationary point but z*, whatever the start."""
    made = make_instances(replace(CLEAN, examples=50, parameter=0.2))
    far = replace(made, z_start=30 * made.z_start)
    path = descend(far, DescentOptions(steps=5000), every=10)
    assert bool(path.success.all())
    floor = 2 * 0.2**2 * torch.linalg.svdvals(made.network.weights[0][0])[-1] ** 2
    assert bool((path.mu[path.under_way] >= floor).all())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"method": "newton"}, "method is one of"),
        ({"steps": 0}, "steps must lie"),
        ({"eta": 0.0}, "eta must lie"),
        ({"lambda_fraction": 3.0}, "lambda_fraction must lie"),
        ({"tolerance": 1.0}, "tolerance must lie"),
    ],
)
def test_bad_options_are_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        DescentOptions(**changed)
