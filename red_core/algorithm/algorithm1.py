"""Algorithm 1, with the choices the paper leaves open as options.

A run has two phases. "start": Defense-GAN, every start of every item descends
1/2 ||x' - G(z)||^2 with c_a = 0. "joint": z and c_a move in turn, both from iterate k, while the
carried starts compete. Presets differ in numbers, not in code: see `presets.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from red_core.algorithm.diffusion_step import DiffusionStep
from red_core.algorithm.lbfgs import LbfgsStep
from red_core.algorithm.options import CHECK_EVERY, DIFFUSION, SolverOptions
from red_core.algorithm.problem import Linearised, RedProblem
from red_core.algorithm.prox import (
    block_soft_threshold,
    duality_gap,
    gap_of_residual,
    lambda_max,
    penalty,
)
from red_core.algorithm.z_steps import AdamStep, FrozenStep, GradientStep, SignalStep

Update = Literal["both", "z", "c_a"]


@dataclass(frozen=True)
class Iterate:
    """One iterate of a batch, detached: for each item, its leading start.

    k: steps done, both phases; phase: "start" or "joint"; z [B, *latent]; c_a [B, k_a];
    image = G(z) [B, *signal]; residual = x' - G(z) - D_a c_a [B, *signal]; loss: the objective
    [B]; lam: lambda [B]; block_energy [B, classes, attacks]: ||c_a[i][j]||; gap: duality gap of
    the c_a problem [B]; gradient_norm [B]: norm of the gradient of f = ||.||^2 (eq. 9's left side,
    not squared); prox_residual [B]: ||w - prox(w - eta grad)|| / eta, the norm of the
    proximal-gradient step, zero at a stationary point; leader [B]: which start leads.
    """

    k: int
    phase: str
    z: Tensor
    c_a: Tensor
    image: Tensor
    residual: Tensor
    loss: Tensor
    lam: Tensor
    block_energy: Tensor
    gap: Tensor
    gradient_norm: Tensor
    prox_residual: Tensor
    leader: Tensor


class Solver:
    """The state of one run; `step` advances it, `snapshot` shows it.

    problem: B items; starts: z [B, S, *latent]; options: the numbers; anchors: where
    `latent_weight` pulls every start to, of the same shape (default: the origin); diffusion: the
    signal step of options that ask for one. An item's iterates depend on its own start and x'
    alone, not on its neighbours (up to rounding). Raises ValueError where starts, features or a
    diffusion step are missing.
    """

    def __init__(
        self,
        problem: RedProblem,
        starts: Tensor,
        options: SolverOptions,
        anchors: Tensor | None = None,
        diffusion: DiffusionStep | None = None,
    ) -> None:
        if len(starts) != len(problem):
            raise ValueError(f"{len(starts)} items of starts for {len(problem)} of x'")
        if options.signal_step == DIFFUSION and diffusion is None:
            raise ValueError("a diffusion step needs a diffusion model, and there is none")
        self.problem, self.options, self._diffusion = problem, options, diffusion
        self.k = 0
        self.joint_k = 0
        self.z = starts  # [B, S, *latent]
        self._anchor = torch.zeros_like(starts) if anchors is None else anchors
        self.c_a = starts.new_zeros(*starts.shape[:2], problem.dictionary.size)
        self.lam = starts.new_zeros(len(starts))
        self._extrapolated = self.c_a
        self._t = starts.new_ones(starts.shape[:2])
        self._features = self._observed_features()
        self._eta_c = 1.0 / problem.dictionary.operator_norm_squared
        self._signal_step = self._make_step(
            options.start_step, options.start_rate, options.start_steps
        )
        self._identity = torch.arange(starts.shape[1]).expand(starts.shape[:2]).to(starts.device)
        self._point: Linearised | None = None
        self._checked = starts.new_full((len(starts),), torch.inf)
        self.settled = torch.zeros(len(starts), dtype=torch.bool, device=starts.device)
        if not options.start_steps:
            self._begin_joint()

    def _make_step(self, kind: str, rate: float, steps: int) -> SignalStep:
        if kind == DIFFUSION:
            assert self._diffusion is not None
            return self._diffusion
        if kind == "frozen":
            return FrozenStep()
        if kind == "lbfgs":
            return LbfgsStep(rate)
        return AdamStep(rate, steps) if kind == "adam" else GradientStep(rate)

    @property
    def phase(self) -> str:
        """The present phase: "start" while Defense-GAN runs, then "joint"."""
        return "start" if self.k < self.options.start_steps else "joint"

    @property
    def total(self) -> int:
        """Steps of a whole run."""
        return self.options.start_steps + self.options.steps

    @property
    def done(self) -> bool:
        """Whether all steps are done, or every item has settled."""
        return self.k >= self.total or bool(self.settled.all())

    # --- the algorithm -------------------------------------------------------------------

    def step(self, update: Update = "both") -> None:
        """One step of the present phase; `update` lets a person move z or c_a alone.

        In the start phase c_a stays zero: asked to move it alone, nothing happens.
        """
        if self.phase == "start" and update == "c_a":
            return
        point = self._linearise()
        target = self._target(point)
        joint = self.phase == "joint"
        if update in ("both", "z") and self._signal_step.moves:
            residual = -target
            if joint:
                residual = residual + self.problem.dictionary.combine(self.c_a)
            self.z = self._signal_step(point, residual.flatten(0, 1)).view_as(self.z)
            self._point = None
        if joint and update in ("both", "c_a"):
            for _ in range(self.options.inner):
                self._proximal_step(target)
        self.k += 1
        if joint:
            self.joint_k += 1
            if self.joint_k in self.options.halve_at and self.z.shape[1] > 1:
                self._keep_best(self._objective(), (self.z.shape[1] + 1) // 2)
            if self.options.tolerance and self.joint_k % CHECK_EVERY == 0:
                self._check_settled()
        elif self.k == self.options.start_steps:
            self._begin_joint()

    def _proximal_step(self, target: Tensor) -> None:
        """c^{k+1} = prox_{eta lambda h}(v - eta D_a^T (D_a v - y)), v extrapolated (FISTA)."""
        dictionary, v = self.problem.dictionary, self._extrapolated
        gradient = dictionary.correlate(dictionary.combine(v) - target)
        threshold = (self._eta_c * self.lam)[:, None].expand(v.shape[:2])
        new = block_soft_threshold(v - self._eta_c * gradient, threshold, dictionary)
        if self.options.acceleration == "none":
            self._extrapolated = self.c_a = new
            return
        t, moved = self._t, new - self.c_a
        if self.options.acceleration == "restart":  # O'Donoghue & Candes 2015, gradient scheme
            uphill = ((v - new) * moved).sum(-1) > 0
            t = torch.where(uphill, torch.ones_like(t), t)
        t_next = 0.5 * (1 + (1 + 4 * t.square()).sqrt())
        self._extrapolated = new + ((t - 1) / t_next)[..., None] * moved
        self._t, self.c_a = t_next, new

    def _begin_joint(self) -> None:
        """Carry the best starts on, and set lambda from the best one's residual."""
        target = self._target(self._linearise())
        error = 0.5 * target.square().sum(-1) + self._energy()
        best = target.gather(
            1, error.argmin(1)[:, None, None].expand(-1, 1, target.shape[-1])
        ).squeeze(1)
        self.lam = self.options.lambda_fraction * lambda_max(best, self.problem.dictionary)
        if self.options.carry < self.z.shape[1]:
            self._keep_best(error, self.options.carry)
        self._signal_step = self._make_step(
            self.options.signal_step, self.options.signal_rate, self.options.steps
        )

    def _keep_best(self, score: Tensor, count: int) -> None:
        """Keep the `count` starts of lowest score [B, S] for every item."""
        kept = score.topk(count, dim=1, largest=False).indices.sort(1).values
        items = torch.arange(len(kept), device=kept.device)[:, None]
        rows = (items * self.z.shape[1] + kept).flatten()
        for name in ("z", "c_a", "_anchor", "_extrapolated", "_t", "_identity"):
            setattr(self, name, getattr(self, name)[items, kept])
        self._signal_step.keep(rows)
        self._point = None

    def _check_settled(self) -> None:
        """Mark the items whose leading start no longer gains anything."""
        items = torch.arange(len(self.problem), device=self.z.device)
        lead = self._objective().argmin(1)
        target = self._target(self._linearise())[items, lead]
        gap, loss = duality_gap(target, self.c_a[items, lead], self.lam, self.problem.dictionary)
        loss = loss + self._energy()[items, lead]
        limit = self.options.tolerance * loss
        decided = self.joint_k >= max(self.options.halve_at, default=0)
        self.settled = (gap <= limit) & ((self._checked - loss).abs() <= limit) & decided
        self._checked = loss

    def keep_items(self, items: Tensor) -> None:
        """Go on with some items (indices [I]) only; the others are dropped from the run."""
        starts = self.z.shape[1]
        rows = (items[:, None] * starts + torch.arange(starts, device=items.device)).flatten()
        self.problem = self.problem.take(items)
        for name in (
            *("z", "c_a", "lam", "settled", "_anchor", "_features"),
            *("_extrapolated", "_t", "_identity", "_checked"),
        ):
            setattr(self, name, getattr(self, name)[items])
        self._signal_step.keep(rows)
        self._point = None

    # --- what is seen of it --------------------------------------------------------------

    def _linearise(self) -> Linearised:
        if self._point is None:
            tether = self.options.latent_weight * (self.z - self._anchor)
            extra = self._feature_energy if self.options.feature_weight else None
            self._point = Linearised.at(
                self.problem.generator, self.z.flatten(0, 1), tether.flatten(0, 1), extra
            )
        return self._point

    def _observed_features(self) -> Tensor:
        """phi(x') as rows [B, F]; [B, 0] where the objective has no such term."""
        if not self.options.feature_weight:
            return self.lam.new_zeros(len(self.problem), 0)
        if self.problem.features is None:
            raise ValueError("feature_weight needs features of a classifier, and there are none")
        with torch.no_grad():
            return self.problem.features(self.problem.observed).flatten(1)

    def _feature_energy(self, images: Tensor) -> Tensor:
        """u/2 ||phi(x') - phi(G(z))||^2 of images [R, *signal], [R]."""
        assert self.problem.features is not None
        made = self.problem.features(images).flatten(1)
        wanted = self._features.repeat_interleave(self.z.shape[1], 0)
        return 0.5 * self.options.feature_weight * (made - wanted).square().sum(1)

    def _target(self, point: Linearised) -> Tensor:
        """y = x' - G(z), [B, S, n]."""
        image = point.image.detach().unflatten(0, self.z.shape[:2])
        return self.problem.flat[:, None] - image

    def _residual(self) -> Tensor:
        """x' - G(z) - D_a c_a of every start, [B, S, n]."""
        return self._target(self._linearise()) - self.problem.dictionary.combine(self.c_a)

    def _objective(self, residual: Tensor | None = None) -> Tensor:
        """The objective of every start, [B, S]; residual: `_residual`, if it is at hand."""
        dictionary = self.problem.dictionary
        residual = self._residual() if residual is None else residual
        fit = 0.5 * residual.square().sum(-1) + self._energy()
        return fit + self.lam[:, None] * penalty(self.c_a, dictionary)

    def _energy(self) -> Tensor:
        """What the objective says of z beside the fit, of every start: [B, S]."""
        away = (self.z - self._anchor).flatten(2).square().sum(-1)
        energy = 0.5 * self.options.latent_weight * away
        of_features = self._linearise().energy
        return energy if of_features is None else energy + of_features.view_as(energy)

    def snapshot(self) -> Iterate:
        """The present iterate: for each item, the start with the lowest objective."""
        problem, dictionary = self.problem, self.problem.dictionary
        point = self._linearise()
        items = torch.arange(len(problem), device=self.z.device)
        residuals = self._residual()
        lead = self._objective(residuals).argmin(1)
        z, c_a = self.z[items, lead], self.c_a[items, lead]
        image = point.image.detach().unflatten(0, self.z.shape[:2])[items, lead]
        target = problem.flat - image
        lam = self.lam
        if self.phase == "start" and not self.joint_k:
            lam = self.options.lambda_fraction * lambda_max(target, dictionary)
        residual = residuals[items, lead]
        correlation = dictionary.correlate(residual)
        gap, loss = gap_of_residual(target, residual, correlation, c_a, lam, dictionary)
        rows = torch.zeros_like(point.image).unflatten(0, self.z.shape[:2])
        rows[items, lead] = -residual
        pulled = point.pullback(rows.flatten(0, 1)).unflatten(0, self.z.shape[:2])[items, lead]
        shrunk = block_soft_threshold(
            c_a + self._eta_c * correlation, self._eta_c * lam, dictionary
        )
        z_square = pulled.flatten(1).square().sum(1)
        assert point.tether is not None
        tether = point.tether.unflatten(0, self.z.shape[:2])[items, lead]
        descent = (pulled + tether).flatten(1).square().sum(1)
        return Iterate(
            k=self.k,
            phase=self.phase if self.joint_k == 0 else "joint",
            z=z.detach().clone(),
            c_a=c_a.clone(),
            image=problem.as_images(image).clone(),
            residual=problem.as_images(residual),
            loss=loss + self._energy()[items, lead],
            lam=lam.clone(),
            block_energy=dictionary.energies(c_a),
            gap=gap,
            gradient_norm=2 * (z_square + correlation.square().sum(1)).sqrt(),
            prox_residual=(descent + ((c_a - shrunk) / self._eta_c).square().sum(1)).sqrt(),
            leader=self._identity[items, lead].clone(),
        )


def solve(
    problem: RedProblem,
    starts: Tensor,
    options: SolverOptions,
    every: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Iterate]:
    """Algorithm 1 as an iterator: the start, then every `every`-th iterate, and the last.

    Stopping, recording and drawing are the caller's; `stop` is asked between steps.
    """
    solver = Solver(problem, starts, options)
    yield solver.snapshot()
    while not solver.done and not stop():
        solver.step()
        if solver.k % every == 0 or solver.done:
            yield solver.snapshot()
