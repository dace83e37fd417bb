from __future__ import annotations

import pytest
import torch

from pages.ui.error_bound import recorder
from pages.ui.error_bound.recorder import Recorder
from red_core.synthetic import Instances, InstanceSettings, make_instances
from red_core.theory.descent import Descent, DescentOptions, descend


def instances(**changed) -> Instances:
    return make_instances(InstanceSettings(**{"m": 20, "d": 3, "examples": 4, **changed}))


def recorded(made: Instances, options: DescentOptions, every: int = 1) -> Recorder:
    found = Recorder(Descent(made, options), every)
    while not found.done:
        found.step()
    return found


@pytest.mark.parametrize("every", [1, 7])
def test_it_records_what_the_core_records(every: int):
    made, options = instances(), DescentOptions(steps=100)
    found, expected = recorded(made, options, every).path(), descend(made, options, every=every)
    assert found.k.tolist() == expected.k.tolist()
    assert torch.equal(found.z, expected.z)
    torch.testing.assert_close(found.mu_mean, expected.mu_mean, rtol=0, atol=0)


def test_a_long_run_is_recorded_at_a_bounded_number_of_even_steps(monkeypatch):
    monkeypatch.setattr(recorder, "MAX_POINTS", 20)
    made, options = instances(scale="1"), DescentOptions(steps=1001, eta=1e-7)
    found = recorded(made, options)
    assert found.stride == 64
    expected = descend(made, options, every=64)
    assert found.path().k.tolist() == expected.k.tolist() == [*range(0, 1001, 64), 1001]
    assert torch.equal(found.path().distance, expected.distance)


def test_mu_is_averaged_over_every_step_however_few_are_kept(monkeypatch):
    monkeypatch.setattr(recorder, "MAX_POINTS", 8)
    made, options = instances(), DescentOptions(steps=20_000)
    found, expected = recorded(made, options), descend(made, options)
    assert len(found.path().k) < len(expected.k)
    torch.testing.assert_close(found.mu_mean, expected.mu_mean)
    least = torch.where(expected.under_way, expected.mu_row, torch.inf).amin(0)
    torch.testing.assert_close(found.mu_least, least)
    assert found.arrived_at.tolist() == expected.arrived_at.tolist()


def test_a_run_ends_once_every_instance_has_arrived():
    made, options = instances(), DescentOptions(steps=20_000)
    found = recorded(made, options)
    assert bool(found.path().success.all())
    assert found.descent.k == int(descend(made, options).k[-1])


def test_the_latest_step_is_shown_between_the_strides(monkeypatch):
    monkeypatch.setattr(recorder, "MAX_POINTS", 4)
    found = Recorder(Descent(instances(), DescentOptions(steps=50, eta=1e-6)))
    for _ in range(9):
        found.step()
    assert found.stride == 4
    assert [point.k for point in found.shown()] == [0, 4, 8, 9]


def test_a_step_size_that_is_far_too_large_is_said():
    # Linear, so that nothing keeps the iterates finite.
    made = instances(activation="linear", scale="1")
    with pytest.raises(FloatingPointError, match="step size is too large"):
        recorded(made, DescentOptions(steps=5000, eta=1e5))
