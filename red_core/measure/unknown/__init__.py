"""Attacks nobody trained for, and how the preset `best` and B.8's methods answer them.

The dictionary, the reader and the evidence know three attacks. Here are others: one step and the
shortest way out (`simple`), a patch (`patch`), noise, an attack made on another network
(`surrogate`), and an attacker who knows the reconstruction (`adaptive`).
"""

from red_core.measure.unknown.measure_unknown import keep_report, load_report, measure
from red_core.measure.unknown.registry import GROUPS, MEASURED, Unseen, unseen_attacks

__all__ = [
    "GROUPS",
    "MEASURED",
    "Unseen",
    "keep_report",
    "load_report",
    "measure",
    "unseen_attacks",
]
