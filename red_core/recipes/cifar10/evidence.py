"""Train CIFAR-10's evidence model: which attack left this residual, or none, or an unknown one.

From runs on those images of D_a that the type classifier never saw, whose answers it learns from
with (what it fitted itself would be surer than it is), and on pictures that the generator drew.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from red_core.algorithm.verdict import type_log_probabilities
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import write_tensors
from red_core.measure.intervals import share
from red_core.models.evidence_model import EvidenceModel
from red_core.recipes.cifar10.attacked import stored_attacks
from red_core.recipes.cifar10.drawn_runs import drawn_runs
from red_core.recipes.cifar10.held_out import held_out_runs
from red_core.recipes.cifar10.runs import SIZES, finished_runs, jobs_of, strengths
from red_core.recipes.common import RecipeContext
from red_core.recipes.evidence import fit_mahalanobis
from red_core.recipes.runs import fit_temperature
from red_core.run.cifar10_parts import load_types

STEPS, TINY_STEPS = 1500, 20
BATCH = 256
TRAIN_SHARE = 0.75  # of the runs; the rest calibrates


def learnt_from(context: RecipeContext) -> tuple[Tensor, Tensor]:
    """Features [N, F] and answers [N] of the runs apart, then of those on drawn pictures."""
    runs, stored, types = finished_runs(context), stored_attacks(), load_types(context.device)
    read = []
    for job in jobs_of(stored, SIZES[context.scale]):
        if job.apart:
            strength = strengths(context, job, len(stored.labels_of(job.columns)))
            read.append(
                _type_logits(stored.attacked(job.columns, job.attack, strength), types, context)
            )
    features = torch.cat((runs.features[runs.apart], torch.cat(read)), 1)
    of_drawn, kinds, observed = drawn_runs(context)
    of_drawn = torch.cat((of_drawn, _type_logits(observed, types, context)), 1)
    return torch.cat((features, of_drawn)), torch.cat((runs.attack[runs.apart], kinds))


def _type_logits(observed: Tensor, types: nn.Module, context: RecipeContext) -> Tensor:
    """What the type classifier says of x' [N, 3, 32, 32], [N, attacks + 1]."""
    parts = observed.split(100)
    return torch.cat(
        [type_log_probabilities(part.to(context.device), types).cpu() for part in parts]
    )


def train_evidence(context: RecipeContext) -> None:
    """Train, calibrate on other runs, measure on held-out ones; write `evidence.safetensors`.

    Seconds of work, so it keeps no checkpoint; the runs it learns from are resumable.
    """
    begun = time.monotonic()
    features, attack = learnt_from(context)
    order = torch.randperm(len(attack), generator=torch.Generator().manual_seed(context.seed))
    cut = max(1, round(TRAIN_SHARE * len(attack)))
    learn, check = order[:cut], order[cut:]
    torch.manual_seed(context.seed + 2)
    model = EvidenceModel(features.shape[1], len(ATTACKS) + 1, held_out=len(check))
    model.mean.copy_(features[learn].mean(0))
    model.scale.copy_(features[learn].std(0).clamp_min(1e-4))
    steps = TINY_STEPS if context.tiny else STEPS
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in tqdm(range(steps), desc="evidence"):
        index = learn[torch.randint(len(learn), (BATCH,))]
        loss = F.cross_entropy(model(features[index]), attack[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.eval().requires_grad_(False)
    model.temperature.fill_(fit_temperature(model(features[check]), attack[check]))
    fit_mahalanobis(model, features[learn], attack[learn], features[check])
    write_tensors(
        "cifar10",
        "evidence.safetensors",
        model.state_dict(),
        command=context.command("evidence"),
        scale=context.scale,
        seed=context.seed,
        device="cpu",
        hours=round((time.monotonic() - begun) / 3600, 6),
        runs=len(attack),
        measured=_measured(context, model),
        licence="MIT",
    )


def _measured(context: RecipeContext, model: EvidenceModel) -> dict[str, object]:
    """On held-out runs: shares named rightly by the model, by the CNN and by the blocks alone."""
    held_out, types = held_out_runs(context), load_types(context.device)
    type_logits = _type_logits(held_out.observed, types, context)
    features = torch.cat((held_out.runs.features, type_logits), 1)
    unknown = model.is_unknown(model.p_value(model.mahalanobis(features)))
    answers = {
        "evidence": model(features).argmax(1),
        "type_classifier": type_logits.argmax(1),
        "blocks": held_out.runs.blocks,
    }
    found: dict[str, object] = {"held_out_images": len(type_logits)}
    for who, said in answers.items():
        right = {}
        for number, name in enumerate((*ATTACKS, "none")):
            own = held_out.runs.attack == number
            right[name] = share(int((said[own] == number).sum()), int(own.sum()))
        found[who] = right
    found["called_unknown"] = share(int(unknown.sum()), len(unknown))
    return found
