"""Finished runs of the preset `best` on attacked training images.

The reader learns from their reconstructions G(z), the evidence model from their residuals. The
images are neither in the attack dictionary nor held out. Attacks are the paper's, at a strength
between 0.4 and 1.6 of its eps, or none, so that nothing hangs on a known eps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.verdict import attack_evidence
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.datasets import load_official
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.recipes.dictionary import PER_CLASS
from red_core.run.bundle import load_bundle
from red_core.run.experiment import begin_run
from red_core.run.settings import item_seed

COUNT = 4000
BATCH = 50
SKIP = 10 * PER_CLASS + 2000  # beyond every image that D_a used


@dataclass(frozen=True)
class Runs:
    """What N runs left.

    image: G(z) [N, 1, 28, 28]; labels [N]; attack [N], index into ATTACKS + none; features
    [N, F] of `attack_evidence`.
    """

    image: Tensor
    labels: Tensor
    attack: Tensor
    features: Tensor

    def part(self, first: float, last: float) -> Runs:
        """The runs between two shares of their count."""
        cut = slice(int(first * len(self.labels)), int(last * len(self.labels)))
        return Runs(self.image[cut], self.labels[cut], self.attack[cut], self.features[cut])


def finished_runs(context: RecipeContext) -> Runs:
    """The runs of a data set; made once (resumable) and kept in the work folder."""
    train = load_official(context.dataset, "train")
    bundle = load_bundle(context.dataset, context.device)
    options = PRESETS["best"]
    count = BATCH if context.tiny else COUNT
    path = context.checkpoint("runs")
    state = load_checkpoint(path) or {"batches": []}
    for batch in tqdm(range(count // BATCH), desc="runs on training images"):
        if batch < len(state["batches"]):
            continue
        first = SKIP + batch * BATCH
        images = train.images[first : first + BATCH].to(context.device)
        labels = train.labels[first : first + BATCH].to(context.device)
        seeds = [item_seed(context.seed, first + i) for i in range(BATCH)]
        attack = batch % (len(ATTACKS) + 1)
        if attack < len(ATTACKS):
            draw = torch.Generator().manual_seed(item_seed(context.seed, batch))
            scale = 0.4 + 1.2 * float(torch.rand((), generator=draw))
            settings = PAPER_ATTACKS[context.dataset][ATTACKS[attack]].scaled(scale)
            images = craft(bundle.psi, images, labels, settings, seeds)
        problem, run = begin_run(bundle, images, options, seeds)
        last = run_to_end(problem, run, options)
        state["batches"].append(
            {
                "image": last.image.half().cpu(),
                "labels": labels.cpu(),
                "attack": torch.full((BATCH,), attack),
                "features": attack_evidence(problem, last, bundle.psi, bundle.readers.types).cpu(),
            }
        )
        save_checkpoint(path, **state)
    joined = {
        name: torch.cat([batch[name] for batch in state["batches"]])
        for name in ("image", "labels", "attack", "features")
    }
    return Runs(joined["image"].float(), joined["labels"], joined["attack"], joined["features"])


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that makes softmax(logits / T) likeliest for labels [N] (Guo et al. 2017)."""
    grid = torch.logspace(-0.7, 1.0, 120)
    losses = torch.stack([torch.nn.functional.cross_entropy(logits / t, labels) for t in grid])
    return float(grid[losses.argmin()])
