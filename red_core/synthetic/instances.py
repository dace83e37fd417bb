"""Realizable instances x' = G(z*) + D_a c_a* (B.1), and f with its exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary
from red_core.synthetic.activations import Activation, activation
from red_core.synthetic.families import FAMILIES, scaled
from red_core.synthetic.network import Network
from red_core.synthetic.settings import InstanceError, InstanceSettings
from red_core.synthetic.synthetic_classifier import BinaryClassifier

Point = tuple[Tensor, Tensor]  # w = (z, c_a)
_ROWS = ("observed", "z_star", "c_star", "z_start", "c_start", "flipped")  # one an instance


@dataclass(frozen=True)
class Instances:
    """I realizable problems in float64, each with its own G and D_a.

    settings: what they were made of; network: G; dictionary: D_a, atoms [I, n, k] (k = 0 without
    an attack), two blocks, one a class; observed: x' [I, n]; z_star [I, d], c_star [I, k]: the
    planted solution; z_start, c_start: where a descent begins; flipped [I]: whether D_a c_a*
    turns psi's answer.

    f = ||x' - G(z) - D_a c_a||^2 as in Section 4, without the half of the solver's objective.
    Points z [..., I, d], c_a [..., I, k]: any number of points of every instance.
    """

    settings: InstanceSettings
    network: Network
    dictionary: AttackDictionary
    observed: Tensor
    z_star: Tensor
    c_star: Tensor
    z_start: Tensor
    c_start: Tensor
    flipped: Tensor

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def d(self) -> int:
        """Latent dimension."""
        return self.z_star.shape[1]

    @property
    def k(self) -> int:
        """Columns of D_a, the paper's k_a."""
        return self.c_star.shape[1]

    @property
    def n(self) -> int:
        """Outputs, the paper's m or n_L."""
        return self.observed.shape[1]

    @cached_property
    def row_projector(self) -> Tensor:
        """V V^T [I, k, k], the projection on the row space of D_a: c_a moves freely outside it."""
        return torch.linalg.pinv(self.dictionary.atoms) @ self.dictionary.atoms

    @cached_property
    def ranks(self) -> Tensor:
        """rank(D_a), [I]."""
        if not self.k:
            return torch.zeros(len(self), dtype=torch.long)
        return torch.linalg.matrix_rank(self.dictionary.atoms)

    def residual(self, z: Tensor, c_a: Tensor) -> Tensor:
        """G(z) + D_a c_a - x', [..., I, n]."""
        return self.network(z) + self.dictionary.combine(c_a) - self.observed

    def value(self, z: Tensor, c_a: Tensor) -> Tensor:
        """f, [..., I]."""
        return self.residual(z, c_a).square().sum(-1)

    def gradient(self, z: Tensor, c_a: Tensor) -> Point:
        """(grad_z f [..., I, d], grad_c f [..., I, k])."""
        twice = 2 * self.residual(z, c_a)
        return self.network.pullback(z, twice), self.dictionary.correlate(twice)

    def hessian(self, z: Tensor, c_a: Tensor) -> Tensor:
        """The Hessian of f, [..., I, d + k, d + k] (eqs. 72 to 77 with the factor 2 they drop)."""
        reach = self.network.jacobian(z)
        atoms = self.dictionary.atoms.expand(*reach.shape[:-2], -1, -1)
        both = torch.cat((reach, atoms), dim=-1)
        square = both.mT @ both
        square[..., : self.d, : self.d] += self.network.bend(z, self.residual(z, c_a))
        return 2 * square

    def distance(self, z: Tensor, c_a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """||z - z*||, ||c_a - c_a*|| and the latter within the row space of D_a, each [..., I]."""
        away = c_a - self.c_star
        inside = (self.row_projector @ away[..., None])[..., 0]
        norm = torch.linalg.vector_norm
        return norm(z - self.z_star, dim=-1), norm(away, dim=-1), norm(inside, dim=-1)

    def take(self, items: Tensor) -> Instances:
        """Some instances only."""
        weights = tuple(weight[items] for weight in self.network.each(len(self)))
        rows: dict[str, Any] = {name: getattr(self, name)[items] for name in _ROWS}
        return replace(
            self,
            network=replace(self.network, weights=weights),
            dictionary=self.dictionary.take(items),
            **rows,
        )


def make_instances(
    settings: InstanceSettings, seeds: int = 1, own: Tensor | None = None
) -> Instances:
    """`seeds` networks (seeds settings.seed, settings.seed + 1, ...) x settings.examples instances.

    own: W [m, d] for the family "own", whose m and d then hold. A network's instances depend on
    its seed alone. Raises InstanceError.
    """
    if settings.family == "own":
        if own is None:
            raise InstanceError("the family own needs a matrix W")
        settings = replace(settings, m=own.shape[0], d=own.shape[1])
    made = [_of_seed(replace(settings, seed=settings.seed + i), own) for i in range(seeds)]
    if len(made) == 1:
        return made[0]
    networks, dictionaries = [one.network for one in made], [one.dictionary for one in made]
    weights = tuple(torch.cat(layer) for layer in zip(*(n.weights for n in networks), strict=True))
    rows: dict[str, Any] = {name: torch.cat([getattr(i, name) for i in made]) for name in _ROWS}
    return replace(
        made[0],
        network=replace(networks[0], weights=weights),
        dictionary=replace(
            dictionaries[0],
            atoms=torch.cat([one.atoms for one in dictionaries]),
            norms=torch.cat([one.norms for one in dictionaries]),
        ),
        **rows,
    )


def _of_seed(settings: InstanceSettings, own: Tensor | None) -> Instances:
    """One network and its examples."""
    draw = torch.Generator().manual_seed(settings.seed)
    family, sigma = FAMILIES[settings.family], activation(settings.activation, settings.parameter)
    if own is None:
        weights = family.draw(draw, settings.m, settings.d, settings.layers, settings.noise)
    else:
        weights = (own.double(),)
    shared = Network(tuple(w[None] for w in scaled(weights, settings.scale or family.scale)), sigma)
    count, d = settings.examples, shared.latent
    z_star = torch.randn(count, d, generator=draw, dtype=torch.float64)
    clean = shared(z_star)
    if settings.attack:
        psi, dictionary = _attacks(draw, settings, shared, sigma)
        c_star = _coefficients(draw, psi, dictionary, clean)
    else:
        psi, dictionary, c_star = None, _no_attacks(clean), clean.new_zeros(count, 0)
    observed = clean + dictionary.combine(c_star)
    z_start, c_start = _start(draw, settings, z_star, c_star)
    return Instances(
        settings=settings,
        network=shared,
        dictionary=replace(
            dictionary,
            atoms=dictionary.atoms.expand(count, -1, -1),
            norms=dictionary.norms.expand(count, -1),
        ),
        observed=observed,
        z_star=z_star,
        c_star=c_star,
        z_start=z_start,
        c_start=c_start,
        flipped=(
            torch.zeros(count, dtype=torch.bool) if psi is None else psi(clean) * psi(observed) < 0
        ),
    )


def _attacks(
    draw: torch.Generator, settings: InstanceSettings, network: Network, sigma: Activation
) -> tuple[BinaryClassifier, AttackDictionary]:
    """psi, and D_a of its attacks on S_tr: block 0 the class below the median of psi, 1 above."""
    z = torch.randn(settings.training, network.latent, generator=draw, dtype=torch.float64)
    signals = network(z)
    psi = BinaryClassifier.drawn(draw, network.outputs, settings.hidden, sigma)
    scores = psi(signals)
    psi = replace(psi, offset=float(scores.quantile(0.5)))
    order = scores.argsort()
    deltas = psi.attack(signals[order]).view(2, 1, settings.training // 2, network.outputs)
    return psi, AttackDictionary.from_attacks(deltas, ("gradient",))


def _no_attacks(signals: Tensor) -> AttackDictionary:
    return AttackDictionary(
        signals.new_zeros(signals.shape[1], 0), 2, ("gradient",), signals.new_zeros(0)
    )


def _coefficients(
    draw: torch.Generator, psi: BinaryClassifier, dictionary: AttackDictionary, clean: Tensor
) -> Tensor:
    """c_a* [I, k] in the block of each signal's class, so that ||D_a c_a*|| is its attack's length.

    B.1 says "some vector c_a*". Random positive weights on attacks of the same class add up to an
    attack of that class.
    """
    labels = (psi(clean) > 0).long()
    weights = torch.rand(len(clean), dictionary.size, generator=draw, dtype=torch.float64)
    for label in range(dictionary.classes):
        outside = torch.ones(dictionary.size, dtype=torch.bool)
        outside[dictionary.block(label, 0)] = False
        weights[(labels == label)[:, None] & outside] = 0
    lengths = torch.linalg.vector_norm(dictionary.combine(weights), dim=1)
    wanted = torch.linalg.vector_norm(psi.attack(clean), dim=1)
    return weights * (wanted / lengths)[:, None]


def _start(
    draw: torch.Generator, settings: InstanceSettings, z_star: Tensor, c_star: Tensor
) -> Point:
    """(z^0, c_a^0)."""
    if settings.start == "random":
        return torch.randn(z_star.shape, generator=draw, dtype=torch.float64), c_star * 0
    w_star = torch.cat((z_star, c_star), dim=1)
    away = torch.randn(w_star.shape, generator=draw, dtype=torch.float64)
    start = w_star + settings.radius * torch.nn.functional.normalize(away, dim=1)
    return start[:, : z_star.shape[1]], start[:, z_star.shape[1] :]
