"""Which data sets have the same budgets and presets, so that what was chosen means the same."""

from __future__ import annotations

from red_core.algorithm.presets import presets_of
from red_core.data.own_datasets import base_of

_NUMBERS = {"mnist": "grey", "fashion": "grey", "cifar10": "colour"}


def numbers_of(dataset: str) -> str:
    """The name of a data set's budgets and presets, for the keys of the widgets that hold them."""
    base = base_of(dataset)
    if base is None or presets_of(base) != presets_of(dataset):  # a project with its own
        return dataset
    return _NUMBERS[base]


def same_numbers(first: str, second: str) -> bool:
    """Whether two data sets have the same budgets and presets."""
    return numbers_of(first) == numbers_of(second)
