import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from red_core.landscape import Inversion, find_sectors
from red_core.landscape.sectors import unit


@given(
    layers=st.integers(1, 4),
    m=st.integers(2, 60),
    activation=st.sampled_from(["relu", "leaky_relu", "linear"]),
    seed=st.integers(0, 999),
)
def test_g_is_linear_inside_every_sector(
    plant: Callable[..., Inversion], layers: int, m: int, activation: str, seed: int
) -> None:
    inversion = plant(layers=layers, m=m, activation=activation, seed=seed)
    sectors = find_sectors(inversion)
    share = torch.linspace(0.01, 0.99, 7, dtype=torch.float64)[:, None]
    widths = (sectors.angles.roll(-1, 0) - sectors.angles) % (2 * math.pi)
    assert float(widths.sum()) == pytest.approx(2 * math.pi)
    z = 1.7 * unit(sectors.angles + share * widths)  # seven points in each sector
    quadratic = (z[:, :, None] @ sectors.square @ z[:, :, :, None])[:, :, 0, 0]
    linear = 2 * (z * sectors.reach).sum(-1)
    expected = quadratic - linear + inversion.target.square().sum()
    torch.testing.assert_close(inversion.value(z), expected, rtol=1e-8, atol=1e-10)


def test_one_layer_folds_along_its_rows_hyperplanes(plant: Callable[..., Inversion]) -> None:
    inversion = plant(m=25)
    folds = find_sectors(inversion).folds
    rows = inversion.network.weights[0][0]
    assert len(folds) == 2 * len(rows)
    on_a_hyperplane = (folds @ rows.T).abs() / rows.norm(dim=1)
    assert float(on_a_hyperplane.min(1).values.max()) < 1e-12
    assert float(on_a_hyperplane.min(0).values.max()) < 1e-12


def test_the_map_changes_at_folds_and_only_there(plant: Callable[..., Inversion]) -> None:
    inversion = plant(layers=3, activation="relu", m=50)
    sectors = find_sectors(inversion)
    beside = 1e-8
    before, after = (
        inversion.network.jacobian(unit(sectors.angles + turn)[:, None])[:, 0]
        for turn in (-beside, beside)
    )
    jump = (before - after).abs().amax((1, 2))
    changed = jump > 1e-9
    assert float(jump[changed].min()) > 1e-6  # rounding is far below, every bend far above
    assert float(jump[~changed].max()) < 1e-12
    assert torch.equal(changed, sectors.bent)


def test_two_rows_have_four_folds_and_a_linear_g_none(plant: Callable[..., Inversion]) -> None:
    assert len(find_sectors(plant(family="two_rows", m=100)).folds) == 4
    assert len(find_sectors(plant(activation="linear")).folds) == 0


@pytest.mark.parametrize("settings", [{"d": 3}, {"activation": "softplus"}])
def test_others_have_no_sectors(
    plant: Callable[..., Inversion], settings: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="d = 2 and a piecewise linear"):
        find_sectors(plant(**settings))
