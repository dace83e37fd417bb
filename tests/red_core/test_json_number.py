"""Numbers for JSON."""

import pytest
import torch

from red_core.json_number import number


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_does_not_know_is_none(value):
    assert number(torch.tensor(value)) is None


def test_digits():
    third = torch.tensor(1 / 3, dtype=torch.float64)
    assert number(third, 3) == 0.333
    assert number(1 - third * 1e-9) != 1.0
