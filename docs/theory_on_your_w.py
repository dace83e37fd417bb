"""The theory on your W: does Theorem 3 apply to G(z) = sigma(W z), and does it keep its promise?

    python docs/theory_on_your_w.py --matrix W.csv --activation softplus

W [m, d] comes from a CSV or NPY file (without one it is Gaussian, 60 x 6). Instances x' = G(z*) are
drawn, descents begin near z*, and what the theorem promises of every step is held against what the
descent does. Reads no trained file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from red_core.synthetic import InstanceSettings, make_instances
from red_core.synthetic.own_matrix import read_matrix
from red_core.theory import leaky_floor
from red_core.theory.descent import DescentOptions
from red_core.theory.verification import Verification, verify

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--matrix", type=Path, metavar="W.csv", help="your W (CSV or NPY)")
parser.add_argument(
    "--activation", default="softplus", help="sigma: softplus, tanh, leaky_relu ..."
)
parser.add_argument("--examples", type=int, default=5, help="instances x' = G(z*)")
parser.add_argument("--steps", type=int, default=200, help="of each descent")
parser.add_argument("--radius", type=float, default=0.01, help="||z^0 - z*||")
arguments = parser.parse_args()

if arguments.matrix is None:
    w = torch.randn(60, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
else:
    w = read_matrix(arguments.matrix.read_bytes(), arguments.matrix.name)
m, d = w.shape
values = torch.linalg.svdvals(w)
print(f"W is {m} x {d}, its singular values from {values[-1]:.3g} to {values[0]:.3g}")

settings = InstanceSettings(
    family="own", m=m, d=d, activation=arguments.activation, examples=arguments.examples,
    start="near", radius=arguments.radius,
)  # fmt: skip
asked = Verification(settings, DescentOptions(steps=arguments.steps), samples=3, most=30)
found = verify(asked, w)
theorem = found.guarantee
print(f"{theorem.theorem} applies to {theorem.applies.double().mean():.0%} of the instances")
print("along the paths and between their points:")
print(
    f"mu >= {theorem.mu.min():.3g}, rho <= {theorem.rho.max():.3g}, "
    f"epsilon <= {theorem.epsilon.max():.3g}"
)
if bool(theorem.applies.any()):
    promised, worst = (
        theorem.predicted[theorem.applies].max(),
        theorem.observed[theorem.applies].max(),
    )
    print(f"||z - z*||^2 falls by the factor {promised:.6f} or faster in every step; the slowest")
    print(f"step of the descents had {worst:.6f}")
print(f"{found.path.success.double().mean():.0%} of the descents arrived at z*")

# A leaky ReLU needs no theorem: f has no stationary point but z*, from every start.
leaky = make_instances(InstanceSettings(family="own", m=m, d=d, examples=1), 1, w)
slope = leaky.network.activation.slopes[0]
floor = float(leaky_floor(leaky.network.weights[0], slope).min())
print(f"with a leaky ReLU of slope {slope:g}: mu >= {floor:.3g} everywhere")
