"""Train the evidence model: which attack left this residual, or none."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from tqdm import tqdm

from red_core.attacks import ATTACKS
from red_core.data.assets import write_tensors
from red_core.models.reading import EvidenceModel
from red_core.recipes.common import RecipeContext
from red_core.recipes.runs import finished_runs, fit_temperature

STEPS = 3000
TRAIN_SHARE = 0.8


def train_evidence(context: RecipeContext) -> None:
    """Train on finished runs, calibrate on others; write `evidence.safetensors`.

    Seconds of work, so it keeps no checkpoint; the runs it learns from are resumable.
    """
    runs = finished_runs(context)
    learn, check = runs.part(0, TRAIN_SHARE), runs.part(TRAIN_SHARE, 1)
    torch.manual_seed(context.seed + 2)
    model = EvidenceModel(learn.features.shape[1], len(ATTACKS) + 1)
    model.mean.copy_(learn.features.mean(0))
    model.scale.copy_(learn.features.std(0).clamp_min(1e-4))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=STEPS)
    for _ in tqdm(range(STEPS), desc="evidence"):
        index = torch.randint(len(learn.labels), (256,))
        loss = F.cross_entropy(model(learn.features[index]), learn.attack[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.eval().requires_grad_(False)
    logits = model(check.features)
    model.temperature.fill_(fit_temperature(logits, check.attack))
    write_tensors(
        context.dataset,
        "evidence.safetensors",
        model.state_dict(),
        command=context.command("evidence"),
        seed=context.seed,
        device="cpu",
        measured={
            "accuracy_on_held_out_runs": float((logits.argmax(1) == check.attack).float().mean())
        },
        licence="MIT",
    )
