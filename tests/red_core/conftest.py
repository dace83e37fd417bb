"""Small instances in float64 on which the mathematics can be checked by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cvxpy as cp
import hypothesis
import numpy as np
import pytest
import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary, RedProblem

# The same examples on every machine, however slow it is.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True)
def _same_numbers_every_time() -> None:
    torch.manual_seed(0)


@dataclass(frozen=True)
class Network:
    """G of eq. 4, sigma(W_L ... sigma(W_1 z)), with a leaky rectifier; slope 1 makes it linear."""

    weights: tuple[Tensor, ...]
    slope: float

    def __call__(self, z: Tensor) -> Tensor:
        for weight in self.weights:
            z = torch.nn.functional.leaky_relu(z @ weight.T, self.slope)
        return z


@dataclass(frozen=True)
class Instance:
    """A realizable problem x' = G(z*) + D_a c_a*; item i's attack lies in block `blocks[i]`."""

    problem: RedProblem
    network: Network
    z_star: Tensor
    c_star: Tensor
    blocks: list[tuple[int, int]]

    @property
    def dictionary(self) -> AttackDictionary:
        return self.problem.dictionary


def random_dictionary(
    pixels: int = 30,
    classes: int = 3,
    attacks: tuple[str, ...] = ("linf", "l2"),
    block: int = 3,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> AttackDictionary:
    draw = torch.Generator().manual_seed(seed)
    deltas = torch.randn(classes, len(attacks), block, pixels, generator=draw, dtype=dtype)
    return AttackDictionary.from_attacks(deltas, attacks)


def random_network(
    widths: tuple[int, ...] = (4, 30),
    slope: float = 0.5,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Network:
    draw = torch.Generator().manual_seed(seed + 100)
    weights = tuple(
        torch.randn(wide, narrow, generator=draw, dtype=dtype) / narrow**0.5
        for narrow, wide in pairwise(widths)
    )
    return Network(weights, slope)


def random_instance(
    items: int = 3,
    widths: tuple[int, ...] = (4, 30),
    slope: float = 0.5,
    block: int = 3,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Instance:
    dictionary = random_dictionary(widths[-1], block=block, seed=seed, dtype=dtype)
    network = random_network(widths, slope, seed, dtype)
    draw = torch.Generator().manual_seed(seed + 200)
    z_star = torch.randn(items, widths[0], generator=draw, dtype=dtype)
    c_star = torch.zeros(items, dictionary.size, dtype=dtype)
    blocks = [(i % dictionary.classes, (i + 1) % len(dictionary.attacks)) for i in range(items)]
    for row, (label, attack) in zip(c_star, blocks, strict=True):
        columns = dictionary.block(label, attack)
        row[columns] = 0.5 + torch.rand(dictionary.block_size, generator=draw, dtype=dtype)
    observed = network(z_star) + dictionary.combine(c_star)
    return Instance(RedProblem(observed, network, dictionary), network, z_star, c_star, blocks)


def solve_with_cvxpy(
    dictionary: AttackDictionary, target: Tensor, lam: float
) -> tuple[np.ndarray, float]:
    """An independent solution of the c_a problem for one target [n]: (c_a, its objective)."""
    c = cp.Variable(dictionary.size)
    norms = [
        cp.norm(c[dictionary.block(label, attack)], 2)
        for label in range(dictionary.classes)
        for attack in range(len(dictionary.attacks))
    ]
    error = cp.sum_squares(target.numpy() - dictionary.atoms.numpy() @ c)
    problem = cp.Problem(cp.Minimize(0.5 * error + lam * cp.sum(cp.hstack(norms))))
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return c.value, float(problem.value)


@pytest.fixture
def convex_solution() -> Callable[..., tuple[np.ndarray, float]]:
    return solve_with_cvxpy


@pytest.fixture
def make_dictionary() -> Callable[..., AttackDictionary]:
    return random_dictionary


@pytest.fixture
def make_network() -> Callable[..., Network]:
    return random_network


@pytest.fixture
def make_instance() -> Callable[..., Instance]:
    return random_instance
