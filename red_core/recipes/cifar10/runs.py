"""Finished runs of the preset `best`: what the reader and the evidence model learn from.

On D_a's own images, each with its own atoms taken out of D_a; half of the attacks at the paper's
strength, half at 0.4 to 1.6 times it, so that nothing hangs on a known eps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.algorithm1 import solve
from red_core.algorithm.observe import observe
from red_core.algorithm.presets import CIFAR10_BEST
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.algorithm.verdict import attack_evidence, block_residuals
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import read_manifest
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks, without
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import (
    load_cifar10_dictionary,
    load_encoder,
    load_generator,
    load_psi,
)
from red_core.run.prior import StylePrior, starts_from
from red_core.run.settings import item_seed

MARKS = (3, 1.5, 1)  # G(z) is kept when one part in so many of the steps is done
NAMES = tuple(
    f"{name}.safetensors" for name in ("classifier", "generator", "encoder", "dictionary")
)


@dataclass(frozen=True)
class Size:
    """One scale: columns of D_a at a time, and how many answers each batch of them is run on.

    learning, apart: of the columns that the type classifier sees and of those that it does not;
    batches: of the former, at most.
    """

    together: int
    learning: int
    apart: int
    batches: int


SIZES = {
    "tiny": Size(together=1, learning=4, apart=4, batches=1),
    "cpu": Size(together=5, learning=1, apart=2, batches=4),
    "gpu": Size(together=5, learning=4, apart=4, batches=100),
}


@dataclass(frozen=True)
class Runs:
    """What N runs left.

    images: G(z) [N, len(MARKS), 3, 32, 32] in half precision, the last one the run's end; labels
    [N]; attack [N]: index into ATTACKS, or their number for none; strength [N]; blocks [N]: the
    attack of the smallest block residual; features [N, F]: `attack_evidence` without the type
    classifier; apart [N]: whether the type classifier never saw the image.
    """

    images: Tensor
    labels: Tensor
    attack: Tensor
    strength: Tensor
    blocks: Tensor
    features: Tensor
    apart: Tensor

    @classmethod
    def joined(cls, batches: Sequence[dict[str, Tensor]]) -> Runs:
        """All batches as one."""
        return cls(*(torch.cat([b[field.name] for b in batches]) for field in fields(cls)))


@dataclass(frozen=True)
class Job:
    """One batch: columns of D_a, and index into ATTACKS or their number for none."""

    columns: slice
    attack: int
    apart: bool

    @property
    def key(self) -> str:
        """Its name in the checkpoint."""
        return f"{self.attack}/{self.columns.start}"


class Running:
    """The parts of a run, on the recipe's device."""

    def __init__(self, context: RecipeContext) -> None:
        device = context.device
        self.context, self.psi = context, load_psi(device)
        self.generator = load_generator(device)
        self.prior = StylePrior(self.generator, load_encoder(device), torch.device(device))
        self.dictionary = load_cifar10_dictionary(device)

    @torch.no_grad()
    def __call__(self, attacked: Tensor, dictionary: AttackDictionary) -> dict[str, Tensor]:
        """Run `best` on x' [B, 3, 32, 32]: the fields of `Runs` that the run itself decides."""
        problem = RedProblem(attacked.to(self.context.device), self.generator, dictionary)
        starts, anchors = starts_from(
            self.prior,
            problem.observed,
            range(len(attacked)),  # of random starts, which `best` has none of
            restarts=CIFAR10_BEST.restarts,
            mean=CIFAR10_BEST.mean_start,
            encoder=CIFAR10_BEST.encoder_start,
        )
        marks, images = [round(CIFAR10_BEST.total / part) for part in MARKS], []
        for state in solve(problem, starts, CIFAR10_BEST, anchors):
            if int(state.k.max()) in marks:
                images.append(observe(problem, state, CIFAR10_BEST).image.half().cpu())
        last = observe(problem, state, CIFAR10_BEST)
        return {
            "images": torch.stack(images, 1),
            "blocks": block_residuals(problem, last).amin(1).argmin(1).cpu(),
            "features": attack_evidence(problem, last, self.psi).cpu(),
        }


def jobs_of(stored: StoredAttacks, size: Size) -> list[Job]:
    """The batches in order: both kinds of columns alternate, and so do the answers."""
    answers = len(ATTACKS) + 1
    kinds: list[list[Job]] = []
    for apart, first, last, each in (
        (True, stored.learning, stored.columns, size.apart),
        (False, 0, min(stored.learning, size.batches * size.together), size.learning),
    ):
        slices = [slice(k, min(k + size.together, last)) for k in range(first, last, size.together)]
        kinds.append(
            [
                Job(columns, (number + turn * max(1, answers // each)) % answers, apart)
                for turn in range(each)
                for number, columns in enumerate(slices)
            ]
        )
    long, short = sorted(kinds, key=len, reverse=True)
    woven = [(n / len(jobs), job) for jobs in (long, short) for n, job in enumerate(jobs)]
    return [job for _, job in sorted(woven, key=lambda pair: pair[0])]


def strengths(context: RecipeContext, job: Job, count: int) -> Tensor:
    """Factors on the perturbations of one batch [count]: every other one is 1."""
    seed = item_seed(context.seed, 10 * job.columns.start + job.attack)
    drawn = 0.4 + 1.2 * torch.rand(count, generator=torch.Generator().manual_seed(seed))
    return torch.where(torch.arange(count) % 2 == 0, 1.0, drawn)


def made_by() -> list[str]:
    """What decides a run: the networks' checksums, and the numbers of `best`."""
    manifest = read_manifest("cifar10")
    numbers = [
        f"{field.name}={getattr(CIFAR10_BEST, field.name)}"
        for field in fields(CIFAR10_BEST)
        if getattr(CIFAR10_BEST, field.name) != field.default
    ]
    return [*(manifest[name]["sha256"] for name in NAMES), *numbers]


def finished_runs(context: RecipeContext) -> Runs:
    """The runs; made once, resumable, and kept in the work folder.

    Made anew where a network or the numbers of `best` are no longer those that made them.
    """
    stored = stored_attacks()
    of = made_by()
    path = context.checkpoint("runs")
    state = load_checkpoint(path)
    if state is None or state["of"] != of:
        state = {"of": of, "batches": {}}
    jobs = jobs_of(stored, SIZES[context.scale])
    batches: dict[str, dict[str, Tensor]] = state["batches"]
    run: Running | None = None
    for job in tqdm(jobs, desc="runs", mininterval=5):
        if job.key in batches:
            continue
        run = run or Running(context)
        labels = stored.labels_of(job.columns)
        strength = strengths(context, job, len(labels))
        attacked = stored.attacked(job.columns, job.attack, strength)
        batches[job.key] = {
            **run(attacked, without(run.dictionary, job.columns)),
            "labels": labels,
            "attack": torch.full_like(labels, job.attack),
            "strength": strength,
            "apart": torch.full_like(labels, job.apart, dtype=torch.bool),
        }
        save_checkpoint(path, **state)
    return Runs.joined([batches[job.key] for job in jobs])
