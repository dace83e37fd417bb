"""What the theorems say of a descent, found for a few instances at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory import Guarantee, ProximalGuarantee, Steps, guarantee, proximal_guarantee
from red_core.theory.descent import Descent, Path
from red_core.theory.proximal_verification import LONGER
from red_core.theory.verification import Found

SAMPLES = 5  # points a side of the proof's segments, as the command line takes
_MOST = (10, 100)  # steps that are examined, at least and at most
_WORK = 1.5e10  # multiplications for all of it, about
_SLICE = 3e8  # and for what is measured at one go

MAX_LONGER = 20_000  # steps that are added to come closer to L*, at most

Findings = Found | ProximalGuarantee
_Whole = TypeVar("_Whole", Guarantee, ProximalGuarantee)


def measured(instances: Instances, path: Path, lowest: Tensor | None = None) -> Iterator[Findings]:
    """The findings on the first few instances, then on more, at last on all.

    Theorem 3 or 6 as a `Found` on the instances so far; Theorem 8 for a path under "proximal",
    with `lowest` [I] for its L*.
    """
    most, at_once = _portions(instances, path)
    thinned = _thinned(path, most)
    parts: list[Guarantee] = []
    proximal: list[ProximalGuarantee] = []
    for items in torch.arange(len(instances)).split(at_once):
        some, part = instances.take(items), taken(thinned, items)
        if path.method == "proximal":
            least = None if lowest is None else lowest[items]
            proximal.append(proximal_guarantee(some, part, SAMPLES, lowest=least))
            yield _joined(proximal)
        else:
            parts.append(guarantee(some, part, SAMPLES))
            seen = torch.arange(int(items[-1]) + 1)
            yield Found(instances.take(seen), taken(path, seen), _together(parts))


def longer(descent: Descent) -> Descent:
    """A regularised descent that goes on from where one ended, to come closer to L*."""
    steps = min(LONGER * descent.options.steps, descent.options.steps + MAX_LONGER)
    more = Descent(descent.instances, replace(descent.options, steps=steps), descent.eta)
    more.z, more.c_a, more.k = descent.z, descent.c_a, descent.k
    return more


def _portions(instances: Instances, path: Path) -> tuple[int, int]:
    """How many steps to examine, and how many instances at one go."""
    size = instances.d + min(instances.k, instances.n)
    hessian = instances.n * instances.d**2 + 30 * size**3 + 5000
    step = 4 * SAMPLES * hessian
    most = max(_MOST[0], min(_MOST[1], int(_WORK / (step * len(instances)))))
    return most, max(1, int(_SLICE / (step * min(most, len(path.k)))))


def _thinned(path: Path, most: int) -> Path:
    """At most `most` of the iterates, evenly over those where some instance was under way.

    Chosen once for all instances, so that the guarantees of their parts fit together.
    """
    count = len(path.k)
    if path.method != "proximal":
        count = max(1, int(path.under_way.any(1).sum()))
    at = torch.linspace(0, count - 1, min(most, count)).round().long().unique()
    rows: dict[str, Any] = {
        name: value[at] for name, value in _tensors(path) if value.dim() > 1 or name == "k"
    }
    return replace(path, **rows)


def taken(path: Path, items: Tensor) -> Path:
    """The paths of some instances."""
    parts: dict[str, Any] = {
        name: value[items] if value.dim() == 1 else value[:, items]
        for name, value in _tensors(path)
        if name != "k"
    }
    return replace(path, **parts)


def _tensors(of: Any) -> list[tuple[str, Tensor]]:
    pairs = [(field.name, getattr(of, field.name)) for field in fields(of)]
    return [(name, value) for name, value in pairs if torch.is_tensor(value)]


def _joined(parts: Sequence[_Whole]) -> _Whole:
    """One guarantee of all instances: [I] one after another, [K, I] side by side."""
    values: dict[str, Any] = {
        name: torch.cat([getattr(part, name) for part in parts], dim=value.dim() - 1)
        for name, value in _tensors(parts[0])
        if name != "k"
    }
    why = tuple(sentence for part in parts for sentence in part.why)
    return replace(parts[0], **values, why=why)


def _together(parts: Sequence[Guarantee]) -> Guarantee:
    """`_joined`, with steps of which some parts have fewer, and the row space if there is one."""
    whole = replace(_joined(parts), steps=_steps([part.steps for part in parts]))
    rows = [part.row_space for part in parts if part.row_space is not None]
    return replace(whole, row_space=_together(rows) if len(rows) == len(parts) else None)


def _steps(parts: Sequence[Steps]) -> Steps:
    """Side by side; a part whose instances arrived sooner ends in NaN."""
    longest = max((part.k for part in parts), key=len)

    def padded(values: Tensor) -> Tensor:
        more = values.new_full((len(longest) - len(values), values.shape[1]), torch.nan)
        return torch.cat((values, more))

    names = [name for name, _ in _tensors(parts[0]) if name != "k"]
    sides = {name: torch.cat([padded(getattr(p, name)) for p in parts], dim=1) for name in names}
    return Steps(k=longest, **sides)
