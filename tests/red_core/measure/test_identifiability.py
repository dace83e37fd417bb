"""Angles between blocks: against a search over unit vectors, and the margin against trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from red_core.algorithm.problem import AttackDictionary
from red_core.measure.assumption import relative_residual, span_basis
from red_core.measure.identifiability import identifiability


def dictionary(n: int = 30, classes: int = 2, block: int = 3, seed: int = 0) -> AttackDictionary:
    draw = torch.Generator().manual_seed(seed)
    atoms = torch.randn(n, classes * 3 * block, generator=draw, dtype=torch.float64)
    norms = atoms.norm(dim=0)
    return AttackDictionary(atoms / norms, classes, ("linf", "l2", "l1"), norms)


def test_the_cosines_are_the_largest_that_unit_vectors_reach_in_the_order_by_attack() -> None:
    made = dictionary()
    found = identifiability(made)
    for (kind, label), (other, place) in (((0, 1), (2, 0)), ((1, 0), (1, 1))):
        columns = [
            made.atoms[:, made.block(label, kind)].numpy(),
            made.atoms[:, made.block(place, other)].numpy(),
        ]
        # Alternating projections turn any vector of one span towards the smallest angle.
        onto = [part @ np.linalg.pinv(part) for part in columns]
        vector = columns[0].sum(1)
        for _ in range(2000):
            vector = onto[0] @ (onto[1] @ vector)
            vector /= np.linalg.norm(vector)
        largest = np.linalg.norm(onto[1] @ vector)
        first, second = kind * 2 + label, other * 2 + place
        assert float(found.cosines[first, second]) == pytest.approx(largest, abs=1e-6)
        closest = np.abs(columns[0].T @ columns[1]).max()
        assert float(found.coherence[first, second]) == pytest.approx(closest)
    assert bool((found.cosines == found.cosines.T).all())
    assert bool((found.coherence <= found.cosines + 1e-9).all()), "columns are in their spans"


def test_below_the_margin_the_type_is_always_right_and_above_it_need_not_be() -> None:
    made = dictionary(seed=4)
    found = identifiability(made)
    places = [(label, kind) for kind in range(3) for label in range(2)]
    bases = {place: span_basis(made.atoms[:, made.block(*place)]) for place in places}
    draw = torch.Generator().manual_seed(5)
    for label, kind in places:
        margin = float(found.margin[kind, label])
        assert 0 < margin <= 0.5
        inside = torch.randn(200, 3, generator=draw, dtype=torch.float64) @ bases[label, kind].T
        error = torch.randn(200, 30, generator=draw, dtype=torch.float64)
        scaled = 0.999 * margin * inside.norm(dim=1, keepdim=True)
        noisy = inside + error / error.norm(dim=1, keepdim=True) * scaled
        left = torch.stack([relative_residual(noisy, bases[place]) for place in places])
        named = torch.tensor([places[int(place)][1] for place in left.argmin(0)])
        assert bool((named == kind).all())
    # The worst case: s along the smallest angle, e straight towards the other span.
    label, kind = 0, 0
    first = bases[label, kind]
    nearest = max(
        (place for place in places if place[1] != kind),
        key=lambda place: float(found.cosines[0, place[1] * 2 + place[0]]),
    )
    left_vectors, values, _ = torch.linalg.svd(first.T @ bases[nearest])
    worst = first @ left_vectors[:, 0]
    towards = bases[nearest] @ (bases[nearest].T @ worst) - worst
    crossed = worst + 1.01 * towards / 2
    assert float(towards.norm()) / 2 == pytest.approx(float(found.margin[0, 0]), rel=1e-6)
    assert float(values[0]) < 1
    own, other = (relative_residual(crossed[None], bases[p]) for p in ((label, kind), nearest))
    own_off = (crossed - first @ (first.T @ crossed)).norm()
    other_off = (crossed - bases[nearest] @ (bases[nearest].T @ crossed)).norm()
    assert float(other_off) == pytest.approx(float(other) * float(crossed.norm()))
    assert float(own_off) == pytest.approx(float(own) * float(crossed.norm()))


def test_spans_that_share_a_direction_leave_no_margin() -> None:
    made = dictionary()
    atoms = made.atoms.clone()
    atoms[:, made.block(0, 1)][:, 0] = atoms[:, made.block(0, 0)][:, 0]
    found = identifiability(replace(made, atoms=atoms))
    assert float(found.cosines[0, 2]) == pytest.approx(1)
    assert float(found.apart[0, 2]) == pytest.approx(0, abs=1e-6)
    assert float(found.apart[0, 3]) == pytest.approx((1 - found.cosines[0, 3] ** 2) ** 0.5 / 2)
    assert float(found.margin[0, 0]) == pytest.approx(0, abs=1e-6)
    assert float(found.margin[1, 0]) == pytest.approx(0, abs=1e-6)
    assert float(found.margin[2, 0]) > 0.01
