"""Synthetic instances in the plane, as the landscape page draws them."""

from collections.abc import Callable
from typing import Any

import pytest

from red_core.landscape import Inversion
from red_core.synthetic import InstanceSettings, make_instances


def planted(item: int = 0, **settings: Any) -> Inversion:
    """f of one instance, d = 2 unless said otherwise."""
    chosen = {"d": 2, "m": 40, "examples": item + 1, **settings}
    return Inversion.of(make_instances(InstanceSettings(**chosen)), item)


@pytest.fixture(scope="session")
def plant() -> Callable[..., Inversion]:
    return planted
