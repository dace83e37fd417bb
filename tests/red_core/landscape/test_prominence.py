import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from red_core.landscape import Inversion, stationary_points
from red_core.landscape.prominence import _persistence


def barrier(heights: list[float], place: int) -> float:
    """How far one must climb from `place`, either way around, to reach anything lower."""
    count, best = len(heights), math.inf
    for turn in (1, -1):
        top = heights[place]
        for step in range(1, count):
            height = heights[(place + turn * step) % count]
            top = max(top, height)
            if height < heights[place]:
                best = min(best, top - heights[place])
                break
    return best


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=40, unique=True))
def test_a_minimums_prominence_is_the_lowest_climb_out_of_it(values: list[int]) -> None:
    heights = [float(value) for value in values]
    minima, maxima = _persistence(heights)
    count = len(heights)
    for place in range(count):
        beside = heights[place - 1], heights[(place + 1) % count]
        assert (place in minima) == (heights[place] < min(beside))
        assert (place in maxima) == (heights[place] > max(beside))
    assert minima == {place: barrier(heights, place) for place in minima}
    # Each finite barrier is one saddle's; the highest place closes the ring.
    assert sorted(minima.values()) == sorted(maxima.values())
    assert maxima[heights.index(max(heights))] == math.inf


@pytest.mark.parametrize("seed", range(5))
def test_prominences_are_barriers_of_the_landscape(
    plant: Callable[..., Inversion], seed: int
) -> None:
    inversion = plant(layers=2, m=30, activation="relu", seed=seed)
    found = stationary_points(inversion)
    angles = torch.arange(40_000, dtype=torch.float64) * 2 * math.pi / 40_000
    rays = torch.stack((angles.cos(), angles.sin()), dim=1)
    images = inversion.network(rays[:, None])[:, 0]
    reach = (images @ inversion.target).clamp_min(0).square() / images.square().sum(1)
    ring = (inversion.target.square().sum() - reach.nan_to_num()).tolist()
    sampled, _ = _persistence(ring)
    deep = 2e-3 * found.height
    expected = sorted(p for p in sampled.values() if p > deep)
    listed = sorted(
        point.prominence
        for point in found.points
        if point.kind == "minimum" and point.prominence > deep
    )
    assert listed == pytest.approx(expected, rel=1e-2, abs=1e-4 * found.height)


def test_only_what_has_a_barrier_is_prominent(plant: Callable[..., Inversion]) -> None:
    found = stationary_points(plant(layers=2, m=100, activation="relu"))
    few = found.prominent()
    assert len(few) < len(found.points)
    assert found.points[0] in few
    for point in found.points:
        assert (point in few) == (point.solution or point.prominence >= 0.01 * found.height)
    assert found.prominent(0.0) == found.points
    shallow = len(found.points) - len(few)
    assert f"{shallow} of them with a barrier below 1% of f(0)" in found.summary
