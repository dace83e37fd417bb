"""Theorem 8 (Section 4.3) checked against a proximal descent on one family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from red_core.json_number import number
from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import proximal_guarantee
from red_core.theory.descent import DescentOptions, descend, step_sizes

LONGER = 5  # times the steps, to come closer to L*


def proximal_report(
    settings: InstanceSettings,
    options: DescentOptions,
    step: str = "safe",
    networks: int = 1,
    samples: int = 5,
    most: int | None = 100,
    own: Tensor | None = None,
) -> dict[str, Any]:
    """The JSON of `theory verify --method proximal`, keys as in `verification.report`.

    eta = 1 / rho is options.eta, or the "safe" or "local" step of `descent.step_sizes`; rates are
    factors on L - L* of one step, with L* the lowest L of a descent of five times the steps.
    """
    instances = make_instances(settings, networks, own)
    sizes = step_sizes(instances)
    eta = sizes[step] if options.eta is None else torch.full_like(sizes["safe"], options.eta)
    path = descend(instances, options, eta)
    # No stopping: arriving at (z*, c_a*) is not what a regularised descent does.
    further = replace(options, steps=LONGER * options.steps)
    lowest = descend(instances, further, eta, every=LONGER).loss.amin(0)
    result = proximal_guarantee(
        instances, path, samples, most, torch.minimum(lowest, path.loss.amin(0))
    )
    applies = result.applies
    per_instance = ("mu", "rho", "curvature", "predicted", "observed", "lowest")
    return {
        "theorem": "Theorem 8",
        "rho": number(result.rho.max()),
        "epsilon": None,
        "mu": number(result.mu.nan_to_num(torch.inf).min()),
        "interval": [None, None],
        "eta": number(eta[0]),
        "predicted_rate": number(result.predicted[applies].max()) if bool(applies.any()) else None,
        "observed_rate": number(result.observed.nan_to_num(-torch.inf).max()),
        "applies": bool(applies.all()),
        "share_applies": float(applies.double().mean()),
        "held": bool((result.observed[applies] <= result.predicted[applies] * (1 + 1e-9)).all()),
        "rates_mean": "factors on L - L* of one step; L* is the lowest L found",
        "instances": [
            {
                **{name: number(getattr(result, name)[i]) for name in per_instance},
                "applies": bool(applies[i]),
                "why": result.why[i],
            }
            for i in range(len(applies))
        ],
        "settings": instances.settings.as_dict(),
        "options": {"method": options.method, "steps": options.steps, "networks": networks},
    }
