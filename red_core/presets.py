"""Presets are data: the numbers of `SolverOptions` by name.

`paper`: Algorithm 1 with its misprints corrected (prox of eta * lambda, conformable layer
products, both updates from iterate k) and B.2's numbers: 10 restarts x 100 Defense-GAN steps on
the MSE, the best one carried through 500 alternating steps, Nesterov acceleration and step
1/||D_a||^2 on c_a, lambda = 0.35 lambda_max. The paper leaves the z-step open; here it is plain
gradient descent with a fixed rate, and Adam in the Defense-GAN phase.
`paper-frozen`: the same with z frozen after the start, as in the published code.
`best`: what measured most accurate.
"""

from __future__ import annotations

from red_core.solver import SolverOptions

DEFAULT_PRESET = "best"

PRESETS: dict[str, SolverOptions] = {
    "best": SolverOptions(
        restarts=5,
        encoder_start=True,
        start_steps=20,
        start_rate=0.1,
        carry=6,
        halve_at=(40, 80),
        steps=160,
        signal_step="adam",
        signal_rate=0.05,
        acceleration="restart",
        lambda_fraction=0.05,
    ),
    "paper": SolverOptions(),
    "paper-frozen": SolverOptions(signal_step="frozen"),
}
