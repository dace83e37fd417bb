"""What the core's names are called on the pages."""

from __future__ import annotations

ACTIVATION_LABELS = {
    "leaky_relu": "leaky ReLU",
    "relu": "ReLU",
    "linear": "linear",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "gelu": "GELU",
    "silu": "SiLU",
}
SCALE_LABELS = {"1/m": "1 / outputs", "1/d": "1 / inputs", "1": "1"}
