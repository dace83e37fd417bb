"""Realizable instances: the planted solution solves them, and f's derivatives are autograd's."""

import json
from dataclasses import replace

import pytest
import torch

from red_core.synthetic import FAMILIES, InstanceError, Instances, InstanceSettings, make_instances

SMALL = InstanceSettings(
    m=30, d=3, layers=2, activation="tanh", attack=True, training=8, hidden=40, examples=3
)


def f_of(instances: Instances, item: int):
    """f of one instance as a function of w = (z, c_a), written out anew."""
    weights = [weight[item] for weight in instances.network.each(len(instances))]
    atoms, observed = instances.dictionary.atoms[item], instances.observed[item]

    def f(w):
        h = w[: instances.d]
        for weight in weights:
            h = instances.network.activation.value(weight @ h)
        return (observed - h - atoms @ w[instances.d :]).square().sum()

    return f


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "own"])
@pytest.mark.parametrize("attack", [False, True])
def test_the_planted_solution_solves_it(family, attack):
    made = make_instances(InstanceSettings(family=family, m=60, attack=attack, examples=4), 2)
    assert len(made) == 8
    assert float(made.value(made.z_star, made.c_star).max()) < 1e-24
    assert float(made.value(made.z_start, made.c_start).min()) > 1e-6
    assert made.observed.dtype == torch.float64
    assert (made.d, made.n) == (FAMILIES[family].latent or 10, 60)
    assert made.k == (20 if attack else 0)


@pytest.mark.parametrize("networks", [1, 2])
def test_gradient_and_hessian_are_autograds(networks):
    made = make_instances(SMALL, networks)
    z, c_a = made.z_start, made.c_start + 0.1
    grad_z, grad_c = made.gradient(z, c_a)
    hessian = made.hessian(z, c_a)
    for item in range(len(made)):
        w, f = torch.cat((z[item], c_a[item])), f_of(made, item)
        assert float(made.value(z, c_a)[item]) == pytest.approx(float(f(w)))
        wanted = torch.func.grad(f)(w)
        assert torch.allclose(torch.cat((grad_z[item], grad_c[item])), wanted, atol=1e-11)
        assert torch.allclose(hessian[item], torch.func.hessian(f)(w), atol=1e-10)


def test_many_points_of_every_instance_at_once():
    made = make_instances(SMALL, 2)
    z = torch.randn(5, 4, len(made), made.d, dtype=torch.float64)
    c_a = torch.randn(5, 4, len(made), made.k, dtype=torch.float64)
    assert torch.allclose(made.value(z, c_a)[2, 3], made.value(z[2, 3], c_a[2, 3]))
    assert torch.allclose(made.hessian(z, c_a)[1, 0], made.hessian(z[1, 0], c_a[1, 0]))
    for many, one in zip(made.distance(z, c_a), made.distance(z[4, 1], c_a[4, 1]), strict=True):
        assert torch.allclose(many[4, 1], one)


def test_an_attack_is_a_single_step_attack_of_the_signals_own_class():
    made = make_instances(replace(SMALL, examples=20))
    assert bool(made.flipped.all()), "D_a c_a* turns psi's answer"
    blocks = made.dictionary.energies(made.c_star)[..., 0]
    assert bool(((blocks > 0).sum(1) == 1).all()), "one block, that of the class"
    assert torch.allclose(made.dictionary.atoms.norm(dim=1), torch.ones(20, 8, dtype=torch.float64))
    assert bool((made.dictionary.norms > 0).all())


def test_atoms_are_gradients_of_psi():
    """Each column is +- grad psi at a training signal, so it lies in the span of psi's w_l."""
    few = replace(SMALL, hidden=3, training=8)
    assert int(make_instances(few).ranks.max()) <= 3
    assert make_instances(replace(few, hidden=40)).ranks.tolist() == [8, 8, 8]


def test_the_row_space_projector_ignores_what_d_a_does_not_see():
    made = make_instances(replace(SMALL, hidden=3))
    kernel = torch.linalg.svd(made.dictionary.atoms).Vh[:, -1]
    _, whole, inside = made.distance(made.z_star, made.c_star + kernel)
    assert torch.allclose(whole, torch.ones_like(whole))
    assert float(inside.max()) < 1e-9


def test_near_starts_lie_at_the_radius():
    made = make_instances(replace(SMALL, start="near", radius=0.25))
    away = torch.cat((made.z_start - made.z_star, made.c_start - made.c_star), 1).norm(dim=1)
    assert torch.allclose(away, torch.full_like(away, 0.25))


def test_random_starts_begin_without_an_attack():
    made = make_instances(SMALL)
    assert not bool(made.c_start.any())


def test_a_networks_instances_do_not_depend_on_its_neighbours():
    two = make_instances(SMALL, 2)
    second = make_instances(replace(SMALL, seed=1))
    # x' = G(z*) + D_a c_a* is a matrix product, whose kernel may change with the batch size.
    torch.testing.assert_close(two.observed[3:], second.observed)
    torch.testing.assert_close(two.z_start[3:], second.z_start)
    picked = two.take(torch.tensor([4, 1]))
    z, c_a = two.z_start[[4, 1]], two.c_start[[4, 1]]
    assert torch.allclose(picked.value(z, c_a), two.value(two.z_start, two.c_start)[[4, 1]])


def test_an_own_matrix_takes_the_settings_place():
    W = torch.randn(12, 4, dtype=torch.float64)
    made = make_instances(InstanceSettings(family="own", examples=2, parameter=1.0), own=W)
    assert (made.n, made.d, made.settings.m) == (12, 4, 12)
    assert torch.allclose(made.observed, made.z_star @ W.T)
    with pytest.raises(InstanceError, match="needs a matrix"):
        make_instances(InstanceSettings(family="own"))


def test_settings_are_normalised_and_plain():
    settings = InstanceSettings(family="hadamard", d=10, parameter=None)
    assert (settings.d, settings.layers, settings.scale, settings.parameter) == (4, 1, "1", 0.2)
    assert InstanceSettings(**json.loads(json.dumps(settings.as_dict()))) == settings


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"family": "toeplitz"}, "family must be one of"),
        ({"activation": "step"}, "activation must be one of"),
        ({"scale": "2"}, "scale must be one of"),
        ({"start": "far"}, "start must be one of"),
        ({"m": 5, "d": 10}, "m must be at least 10"),
        ({"family": "three_layer", "m": 15}, "m must be at least 20"),
        ({"m": 5000}, "m must lie between"),
        ({"m": 10.5}, "m must be a whole number"),
        ({"radius": 0.0}, "radius must lie between"),
        ({"noise": float("nan")}, "noise must be a finite number"),
        ({"attack": True, "training": 7}, "training must be even"),
        ({"parameter": 2.0}, "slope"),
        ({"activation": "gelu", "parameter": 2.0}, "has no parameter"),
        ({"seed": -1}, "seed must lie between"),
    ],
)
def test_what_makes_no_instance_is_refused(changed, said):
    with pytest.raises(InstanceError, match=said):
        InstanceSettings(**changed)
