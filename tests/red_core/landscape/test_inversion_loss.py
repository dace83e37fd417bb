from collections.abc import Callable

import pytest
import torch

from red_core.landscape import Inversion
from red_core.synthetic import InstanceSettings, make_instances


@pytest.mark.parametrize("activation", ["leaky_relu", "softplus", "gelu"])
def test_it_is_f_of_the_instance_with_c_a_held(activation: str) -> None:
    settings = InstanceSettings(
        m=30, d=3, layers=2, activation=activation, attack=True, training=6, examples=4
    )
    instances = make_instances(settings)
    item, c_a = 2, torch.randn(6, dtype=torch.float64)
    inversion = Inversion.of(instances, item, c_a)
    z = torch.randn(5, 3, dtype=torch.float64)
    everywhere = z[:, None].expand(-1, 4, -1), c_a.expand(5, 4, -1)
    torch.testing.assert_close(inversion.value(z), instances.value(*everywhere)[:, item])
    gradient, _ = instances.gradient(*everywhere)
    torch.testing.assert_close(inversion.gradient(z), gradient[:, item])
    hessian = instances.hessian(*everywhere)[:, item, :3, :3]
    torch.testing.assert_close(inversion.hessian(z), hessian)
    torch.testing.assert_close(inversion.value(z[0]), inversion.value(z)[0])


def test_the_truth_is_held_unless_told_otherwise() -> None:
    settings = InstanceSettings(m=30, d=2, attack=True, training=6, examples=2)
    instances = make_instances(settings)
    held = Inversion.of(instances, 1)
    assert float(held.value(held.z_star)) < 1e-20
    assert "held at the truth" in held.caption
    assert "no attack" in Inversion.of(make_instances(InstanceSettings(examples=1))).caption
    assert "iterate" in Inversion.of(instances, 1, instances.c_start[1]).caption


def test_piecewise_linear_is_told(plant: Callable[..., Inversion]) -> None:
    assert plant(activation="relu").piecewise_linear
    assert not plant(activation="silu").piecewise_linear
