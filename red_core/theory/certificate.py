"""What the duality gap says of BSD-GAN-AD's answer: can another step on c_a change it?

With z and lambda fixed, eq. 5 in c_a is a convex problem, min 1/2 ||y - D_a c||^2 + lambda sum_b
||c_b|| with y = x' - G(z). Its duality gap bounds D_a c_a as a whole, not the blocks' parts of it,
of which the rule of Section 5.2 asks. But its minimisers have more in common than D_a c* = u*:

1. The objective is strongly convex in u, so ||u - u*|| <= sqrt(2 gap) = R, and the residual r* of
   every minimiser lies that close to r = y - u.
2. A block with ||D_b^T r*|| < lambda is zero in every minimiser, and so is one with
   ||D_b^T r|| + ||D_b|| R < lambda (gap-safe screening; Ndiaye et al. 2017).
3. In the others c*_b = t_b D_b^T r* / lambda with t_b = ||c*_b|| >= 0, so their parts are t_b v*_b,
   v*_b = D_b D_b^T r* / lambda, which differ from v_b = D_b D_b^T r / lambda by at most
   delta_b = ||D_b||^2 R / lambda. Where the few v_b are independent, u* determines every t_b:
   with t the least-squares solution of V t = u and e = ||u - V t||,
   ||t* - t|| <= (R + e + sum_b delta_b t*_b) / sigma_min(V),
   |(t*_b v*_b) - (t_b v_b)| <= t*_b delta_b + |t*_b - t_b| ||v_b||,
   and sum_b t*_b = (P* - 1/2 ||r*||^2) / lambda at most, since P* = 1/2 ||r*||^2 + lambda sum t*_b.

So every block residual ||y - D_b c*_b|| of every minimiser lies in an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import lambda_max
from red_core.sbsc import BlockDictionary, ElasticNet, descend

GAP = 1e-13  # of the c_a problem, relative to its objective
SWEEPS = 10  # over the active blocks, before others may join them
MOST_SWEEPS = 300  # in all: what is not solved by then keeps a wide radius
ROUNDING = 1e-14  # of a gap in float64, relative to its objective


@dataclass(frozen=True)
class BlockCertificate:
    """The block residuals of every minimiser in c_a, for one item.

    residuals [classes, attacks]: ||y - D_b c_b|| of the minimiser that was found; radius [classes,
    attacks]: by how much those of any other can differ, infinite where nothing is known; zero
    [classes, attacks]: the blocks that are zero in every minimiser; gap: relative; lam: lambda.
    """

    residuals: Tensor
    radius: Tensor
    zero: Tensor
    gap: float
    lam: float

    @property
    def answer(self) -> int:
        """The attack that BSD-GAN-AD names at the minimiser, an index into the attacks."""
        return int(self.residuals.amin(0).argmin())

    @property
    def certain(self) -> bool:
        """Whether it names the same one at every minimiser: its best block is surely better."""
        low = (self.residuals - self.radius).amin(0)
        high = (self.residuals + self.radius).amin(0)
        others = low[torch.arange(len(low)) != self.answer]
        return bool(len(others) == 0 or float(high[self.answer]) < float(others.amin()))


def certify(
    problem: RedProblem,
    iterate: Iterate,
    rule_lambda: float | None,
    blocks: BlockDictionary,
    between: Callable[[], None] = lambda: None,
) -> BlockCertificate | None:
    """The certificate of BSD-GAN-AD's answer at an iterate, a batch of one; None where lambda = 0.

    rule_lambda: as of `Readers`: the share of lambda_max, None: the iterate's own lambda; blocks:
    of the problem's D_a (`BlockDictionary.of_attacks`); between: called between any SWEEPS sweeps.
    """
    target = (problem.observed - iterate.image).flatten(1)
    lam = iterate.lam
    if rule_lambda is not None:
        lam = rule_lambda * lambda_max(target, problem.dictionary)
    if not float(lam[0]) > 0:
        return None
    return block_certificate(blocks, target[0], float(lam[0]), between=between)


def block_certificate(
    blocks: BlockDictionary,
    target: Tensor,
    lam: float,
    exact: bool = False,
    between: Callable[[], None] = lambda: None,
) -> BlockCertificate:
    """Minimise in c_a and bound the block residuals of every minimiser.

    blocks: of D_a alone (`BlockDictionary.of_attacks`); target: y = x' - G(z), [n]; lam: lambda of
    eq. 5, positive; exact: go on once the answer is certain, until the gap is closed; between: as
    of `certify`. In float64.
    """
    y = target.to(blocks.bases[0]).flatten()[None]
    net = ElasticNet(y.new_full((1, len(blocks)), lam), 1.0)
    c, residual = blocks.zeros(1), y
    active = torch.zeros(1, len(blocks), dtype=torch.bool, device=y.device)
    found = _certificate(blocks, y, net, c, residual)
    for _ in range(0, MOST_SWEEPS, SWEEPS):
        if (found.certain and not exact) or found.gap <= GAP:
            break
        between()
        active |= blocks.correlations(residual) > net.threshold
        solved = descend(blocks, y, net, active, c, GAP / 2, SWEEPS)
        c, residual = solved.coefficients, solved.residual
        found = _certificate(blocks, y, net, c, residual)
    return found


def _certificate(
    blocks: BlockDictionary, y: Tensor, net: ElasticNet, c: Tensor, residual: Tensor
) -> BlockCertificate:
    """What is known at c [1, k], of y [1, n], whose residual is y - D_a c."""
    shape, lam = (blocks.classes, len(blocks.attacks)), float(net.threshold[0, 0])
    norms, correlations = blocks.norms(c), blocks.correlations(residual)
    gap = float(net.relative_gap(y, residual, norms, correlations))
    objective = float(net.primal(residual, norms))
    reach = (2 * (gap + ROUNDING) * objective) ** 0.5
    stretch = torch.stack([spectrum.amax() for spectrum in blocks.spectra]).clamp_min(0)
    zero = correlations[0] + stretch.sqrt() * reach < lam
    parts = torch.stack(
        [
            c[0, columns] @ basis.T
            for columns, basis in zip(blocks.slices, blocks.bases, strict=True)
        ]
    )
    return BlockCertificate(
        residuals=torch.linalg.vector_norm(y - parts, dim=1).view(shape),
        radius=_radius(blocks, y[0], residual[0], parts, ~zero, objective, lam, reach).view(shape),
        zero=zero.view(shape),
        gap=gap,
        lam=lam,
    )


def _radius(
    blocks: BlockDictionary,
    y: Tensor,
    residual: Tensor,
    parts: Tensor,
    on: Tensor,
    objective: float,
    lam: float,
    reach: float,
) -> Tensor:
    """`BlockCertificate.radius` [blocks]; on: the blocks that are not surely zero."""
    radius = torch.where(on, torch.inf, torch.linalg.vector_norm(parts, dim=1))
    chosen = on.nonzero()[:, 0]
    if not len(chosen):
        return radius
    bases = [blocks.bases[g] for g in chosen.tolist()]
    stretch = torch.stack([blocks.spectra[g].amax() for g in chosen.tolist()])
    directions = torch.stack([basis @ (residual @ basis) / lam for basis in bases], dim=1)
    least = float(torch.linalg.svdvals(directions)[-1]) if len(chosen) <= len(y) else 0.0
    if least <= 1e-9 * float(torch.linalg.vector_norm(directions, dim=0).amax()):
        return radius
    u = y - residual
    t = torch.linalg.lstsq(directions, u[:, None]).solution[:, 0]
    misfit = float(torch.linalg.vector_norm(u - directions @ t))
    smallest = max(0.0, float(torch.linalg.vector_norm(residual)) - reach)
    most = max(0.0, objective - 0.5 * smallest**2) / lam  # of the sum of all t*_b
    delta = stretch * reach / lam
    off = (reach + misfit + float(delta.max()) * most) / least  # of ||t* - t||
    long = torch.linalg.vector_norm(directions, dim=0)
    of_part = (t.abs() + off) * delta + off * long
    found = torch.linalg.vector_norm(parts[chosen] - (directions * t).T, dim=1)
    radius[chosen] = of_part + found
    return radius
