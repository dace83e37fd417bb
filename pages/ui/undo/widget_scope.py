"""Which data sets have the same budgets and presets, so that what was chosen means the same."""

from __future__ import annotations

_NUMBERS = {"mnist": "grey", "fashion": "grey", "cifar10": "colour"}


def numbers_of(dataset: str) -> str:
    """The name of a data set's budgets and presets, for the keys of the widgets that hold them."""
    return _NUMBERS[dataset]


def same_numbers(first: str, second: str) -> bool:
    """Whether two data sets have the same budgets and presets."""
    return _NUMBERS[first] == _NUMBERS[second]
