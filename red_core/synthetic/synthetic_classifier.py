"""The binary classifier of eq. 87 and single-step gradient attacks on it (B.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic.activations import Activation


@dataclass(frozen=True)
class BinaryClassifier:
    """sign(psi(x) - offset) with psi(x) = 1/sqrt(k) sum_l a_l sigma(w_l . x).

    inner: rows w_l ~ N(0, I/m), [k, m]; outer: a_l, uniform over {-1, 1}, [k]; offset: 0 in the
    paper; here the median of psi over the training signals, so that both classes are equally
    large.
    """

    inner: Tensor
    outer: Tensor
    activation: Activation
    offset: float = 0.0

    @classmethod
    def drawn(
        cls, draw: torch.Generator, outputs: int, hidden: int, sigma: Activation
    ) -> BinaryClassifier:
        """A classifier of signals [m = outputs] with `hidden` neurons."""
        inner = torch.randn(hidden, outputs, generator=draw, dtype=torch.float64)
        signs = torch.randint(0, 2, (hidden,), generator=draw).double() * 2 - 1
        return cls(inner / math.sqrt(outputs), signs, sigma)

    def __call__(self, x: Tensor) -> Tensor:
        """psi(x) - offset: [N, m] -> [N]."""
        hidden = self.activation.value(x @ self.inner.T)
        return hidden @ self.outer / math.sqrt(len(self.outer)) - self.offset

    def gradient(self, x: Tensor) -> Tensor:
        """grad psi(x): [N, m] -> [N, m]."""
        slopes = self.activation.first(x @ self.inner.T)
        return (slopes * self.outer) @ self.inner / math.sqrt(len(self.outer))

    def attack(self, x: Tensor) -> Tensor:
        """The single gradient step that would undo psi(x) twice over were psi linear: [N, m].

        -2 psi(x) / ||grad psi(x)||^2 grad psi(x). B.1 leaves the length of the step open; with
        high probability such a step flips the sign (Bubeck et al. 2021).
        """
        gradient = self.gradient(x)
        square = gradient.square().sum(1).clamp_min(torch.finfo(x.dtype).tiny)
        return -(2 * self(x) / square)[:, None] * gradient
