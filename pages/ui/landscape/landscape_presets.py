"""Landscapes worth seeing, at one press."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.landscape.landscape_request import LandscapeRequest, Start
from red_core.synthetic import InstanceSettings

CORNERS: tuple[Start, ...] = ((-1.7, 1.6), (1.8, 1.3), (1.2, -1.8))


@dataclass(frozen=True)
class Preset:
    """A name, a sentence about what it shows, and the request."""

    name: str
    about: str
    request: LandscapeRequest


def _instance(family: str = "gaussian", **settings: object) -> InstanceSettings:
    return InstanceSettings(family=family, d=2, examples=1, **settings)  # type: ignore[arg-type]


PRESETS = (
    Preset(
        "Figure 2",
        "Section 5.1: every row of W is one of two orthonormal vectors. Far from random, and "
        "benign all the same.",
        LandscapeRequest(settings=_instance("two_rows"), starts=CORNERS),
    ),
    Preset(
        "Example 15",
        "The two rows with noise. Figure 2's landscape, rounder: μ is larger.",
        LandscapeRequest(settings=_instance("example15"), starts=CORNERS),
    ),
    Preset(
        "Example 17",
        "Vandermonde rows are nearly parallel. No trap, but a canyon in which gradient descent "
        "creeps.",
        LandscapeRequest(settings=_instance("vandermonde"), starts=CORNERS),
    ),
    Preset(
        "A trap",
        "Two layers of ReLU with random weights. Behind the origin, on the other side from z*, "
        "some starts end in a minimum that is not z*.",
        LandscapeRequest(
            settings=_instance(activation="relu", layers=2, m=200), starts=((2.0, 0.9), (1.6, -1.9))
        ),
    ),
    Preset(
        "Three wide layers",
        "The same with three wide layers: the last stationary point gathers near -κ z*, as Hand "
        "and Voroninski predict.",
        LandscapeRequest(
            settings=_instance("three_layer", activation="relu", m=1000),
            starts=((-1.9, -0.4), (-1.0, 1.8)),
        ),
    ),
    Preset(
        "A smooth trap",
        "Softplus is smooth, as Assumption 1 wants it. That alone keeps no trap away: the error "
        "bound cannot hold in its basin.",
        LandscapeRequest(
            settings=_instance(activation="softplus", layers=2, m=100, scale="1/d", seed=2),
            starts=((-1.7, 1.6), (1.8, 1.3), (1.2, -1.8), (-1.2, -0.6)),
        ),
    ),
    Preset(
        "A plateau",
        "Two layers of tanh with large weights. They saturate: away from z* the slope fades, and "
        "paths creep for thousands of steps.",
        LandscapeRequest(
            settings=_instance(activation="tanh", layers=2, m=100, scale="1"), starts=CORNERS
        ),
    ),
)
