"""Where the spurious stationary point of a random ReLU network is expected: -kappa z*."""

from __future__ import annotations

import math

from torch import Tensor

from red_core.landscape.inversion_loss import Inversion


def kappa(layers: int) -> float:
    """kappa of Corollary 4 for a ReLU network of L layers, in [0, 1).

    Hand & Voroninski (2017), Theorem 2, with theta_0 = pi:
    kappa = sum_{i=0}^{L-1} sin(theta_i) / pi prod_{j=i+1}^{L-1} (pi - theta_j) / pi,
    theta_i = arccos(((pi - theta_{i-1}) cos theta_{i-1} + sin theta_{i-1}) / pi).
    It is 0 for one layer, 1 / pi for two, and tends to 1. ValueError for fewer than one layer.
    """
    if layers < 1:
        raise ValueError(f"a network has at least one layer, not {layers}")
    theta, total = math.pi, 0.0
    for _ in range(layers):
        # Horner's scheme: the factor (pi - theta_j) / pi of every later layer j.
        total = total * (math.pi - theta) / math.pi + math.sin(theta) / math.pi
        cosine = ((math.pi - theta) * math.cos(theta) + math.sin(theta)) / math.pi
        theta = math.acos(min(1.0, max(-1.0, cosine)))
    return max(0.0, total)


def predicted_spurious(inversion: Inversion) -> Tensor | None:
    """-kappa z* [d] for a ReLU network of two or more layers; None where nothing is predicted.

    The prediction is for Gaussian weights and layers much wider than the ones before; at finite
    width stationary points gather near it.
    """
    layers = len(inversion.network.weights)
    if inversion.network.activation.name != "relu" or layers < 2:
        return None
    return -kappa(layers) * inversion.z_star
