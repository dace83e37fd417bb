"""The activations sigma of G (eq. 4), with the two derivatives and the bounds the theorems need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Elementwise = Callable[[Tensor], Tensor]

# Where SiLU's slope is largest: the root of t tanh(t / 2) = 2.
_SILU_TURN = 2.399357280520547

# name -> default of its parameter (leaky ReLU's slope, softplus's beta), None where it has none.
ACTIVATIONS: dict[str, float | None] = {
    "leaky_relu": 0.2,
    "relu": None,
    "linear": None,
    "softplus": 10.0,
    "sigmoid": None,
    "tanh": None,
    "gelu": None,
    "silu": None,
}


@dataclass(frozen=True)
class Activation:
    """sigma, applied to every element of a tensor.

    value, first, second: sigma, sigma', sigma''; where sigma has a kink, its slope there is the
    left one and sigma'' is 0. smooth: Assumption 1, twice differentiable everywhere. slopes:
    infimum and supremum of sigma'. bend: B_sigma'' = sup |sigma''|, infinite at a kink.
    """

    name: str
    parameter: float | None
    value: Elementwise
    first: Elementwise
    second: Elementwise
    slopes: tuple[float, float]
    bend: float

    @property
    def smooth(self) -> bool:
        """Whether Assumption 1 holds."""
        return math.isfinite(self.bend)

    @property
    def steepest(self) -> float:
        """B_sigma' = sup |sigma'|."""
        return max(abs(slope) for slope in self.slopes)


def activation(name: str, parameter: float | None = None) -> Activation:
    """The activation of that name; parameter: None for the default of ACTIVATIONS.

    ValueError for an unknown name, a parameter where there is none, or one out of range: leaky
    ReLU's slope lies in (0, 1], softplus's beta in [0.1, 100].
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"the activation must be one of {', '.join(ACTIVATIONS)}, not {name!r}")
    default = ACTIVATIONS[name]
    if default is None:
        if parameter is not None:
            raise ValueError(f"the activation {name} has no parameter")
        return _PLAIN[name]
    value = default if parameter is None else parameter
    if name == "leaky_relu":
        if not 0 < value <= 1:
            raise ValueError(f"the slope of a leaky ReLU must lie in (0, 1], not {value:g}")
        return _rectifier(name, value, value)
    if not 0.1 <= value <= 100:
        raise ValueError(f"the beta of a softplus must lie between 0.1 and 100, not {value:g}")
    return _softplus(value)


def _rectifier(name: str, parameter: float | None, slope: float) -> Activation:
    """t for t > 0, slope t below."""

    def first(t: Tensor) -> Tensor:
        return torch.where(t > 0, torch.ones_like(t), slope)  # two scalars would give float32

    bend = 0.0 if slope == 1 else math.inf
    return Activation(
        name, parameter, lambda t: t * first(t), first, torch.zeros_like, (slope, 1.0), bend
    )


def _softplus(beta: float) -> Activation:
    def second(t: Tensor) -> Tensor:
        s = torch.sigmoid(beta * t)
        return beta * s * (1 - s)

    return Activation(
        "softplus",
        beta,
        lambda t: torch.logaddexp(beta * t, torch.zeros_like(t)) / beta,
        lambda t: torch.sigmoid(beta * t),
        second,
        (0.0, 1.0),
        beta / 4,
    )


def _sigmoid_first(t: Tensor) -> Tensor:
    s = torch.sigmoid(t)
    return s * (1 - s)


def _sigmoid_second(t: Tensor) -> Tensor:
    s = torch.sigmoid(t)
    return s * (1 - s) * (1 - 2 * s)


def _tanh_first(t: Tensor) -> Tensor:
    return 1 - torch.tanh(t).square()


def _tanh_second(t: Tensor) -> Tensor:
    s = torch.tanh(t)
    return -2 * s * (1 - s.square())


def _density(t: Tensor) -> Tensor:
    return torch.exp(-0.5 * t.square()) / math.sqrt(2 * math.pi)


def _gelu_first(t: Tensor) -> Tensor:
    return torch.special.ndtr(t) + t * _density(t)


def _gelu_second(t: Tensor) -> Tensor:
    return _density(t) * (2 - t.square())


def _silu_first(t: Tensor) -> Tensor:
    s = torch.sigmoid(t)
    return s * (1 + t * (1 - s))


def _silu_second(t: Tensor) -> Tensor:
    s = torch.sigmoid(t)
    return s * (1 - s) * (2 + t * (1 - 2 * s))


def _range(first: Elementwise, turn: float) -> tuple[float, float]:
    """The slopes at -turn and turn, where sigma'' is 0."""
    low, high = first(torch.tensor([-turn, turn], dtype=torch.float64)).tolist()
    return low, high


_PLAIN = {
    "relu": _rectifier("relu", None, 0.0),
    "linear": _rectifier("linear", None, 1.0),
    "sigmoid": Activation(
        "sigmoid", None, torch.sigmoid, _sigmoid_first, _sigmoid_second, (0.0, 0.25),
        1 / (6 * math.sqrt(3)),
    ),
    "tanh": Activation(
        "tanh", None, torch.tanh, _tanh_first, _tanh_second, (0.0, 1.0), 4 / (3 * math.sqrt(3))
    ),
    "gelu": Activation(
        "gelu", None, torch.nn.functional.gelu, _gelu_first, _gelu_second,
        _range(_gelu_first, math.sqrt(2)), 2 / math.sqrt(2 * math.pi),
    ),
    "silu": Activation(
        "silu", None, torch.nn.functional.silu, _silu_first, _silu_second,
        _range(_silu_first, _SILU_TURN), 0.5,
    ),
}  # fmt: skip
