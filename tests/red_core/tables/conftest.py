"""A bundle for small tables."""

from pathlib import Path

import pytest

from red_core.bundle import Bundle, load_bundle


@pytest.fixture
def table_bundle(toy_tables: Path, quick_attacks: None) -> Bundle:
    """12 examples, psi, M_inf, G and D_a, untrained; attacks take three steps."""
    return load_bundle("mnist")
