"""Attacks and runs of few steps, so that all of them fit a test."""

from dataclasses import replace

import pytest

from red_core.algorithm import presets
from red_core.attacks import patch, simple
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings
from red_core.measure.unknown import adaptive, registry


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of every attack, and short runs of `best` and of B.8."""
    eps = {"linf": 0.3, "l2": 2.0, "l1": 10.0}
    few = {kind: AttackSettings(kind, size, size / 2, 2) for kind, size in eps.items()}
    monkeypatch.setitem(PAPER_ATTACKS, "mnist", few)
    eps = {"linf": 0.03, "l2": 0.5, "l1": 12.0}
    few = {kind: AttackSettings(kind, size, size / 2, 2) for kind, size in eps.items()}
    monkeypatch.setitem(PAPER_ATTACKS, "cifar10", few)
    short = replace(presets.PRESETS["best"], restarts=2, start_steps=1, steps=2, halve_at=())
    monkeypatch.setitem(presets.PRESETS, "best", short)
    for name, steps in (("best", 2), ("bsd-dp", 1)):
        short = replace(presets.CIFAR10_PRESETS[name], start_steps=1, steps=steps)
        monkeypatch.setitem(presets.CIFAR10_PRESETS, name, short)
    monkeypatch.setattr(simple, "DDN_STEPS", 2)
    monkeypatch.setattr(patch, "STEPS", 2)

    def settings(kind: str, size: float) -> AttackSettings:
        return adaptive.adaptive_settings(kind, size, 1)

    monkeypatch.setattr(registry, "adaptive_settings", settings)
