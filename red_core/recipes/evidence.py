"""Train the evidence model: which attack left the residual of a run, none, or an unknown one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import write_tensors
from red_core.models.evidence_model import EvidenceModel
from red_core.recipes.common import RecipeContext
from red_core.recipes.runs import finished_runs, fit_temperature

STEPS = 3000
TRAIN_SHARE = 0.8
WRONGLY_FLAGGED = 0.005  # of the known runs: the price of the answer "unknown"
RIDGE = 0.01  # of a feature's variance, added to every Gaussian's: what few runs leave open


def train_evidence(context: RecipeContext) -> None:
    """Train on finished runs, calibrate on others; write `evidence.safetensors`.

    Seconds of work, so it keeps no checkpoint; the runs it learns from are resumable.
    """
    runs = finished_runs(context)
    learn, check = runs.part(0, TRAIN_SHARE), runs.part(TRAIN_SHARE, 1)
    torch.manual_seed(context.seed + 2)
    features = learn.features.shape[1]
    model = EvidenceModel(features, len(ATTACKS) + 1, held_out=len(check.labels))
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
    fit_mahalanobis(model, learn.features, learn.attack, check.features)
    flagged = model.is_unknown(model.p_value(model.mahalanobis(check.features)))
    write_tensors(
        context.dataset,
        "evidence.safetensors",
        model.state_dict(),
        command=context.command("evidence"),
        seed=context.seed,
        device="cpu",
        measured={
            "accuracy_on_held_out_runs": _share(logits.argmax(1) == check.attack),
            "confidence_on_held_out_runs": _share(model(check.features).softmax(1).amax(1)),
            "called_unknown_on_held_out_runs": _share(flagged),
        },
        licence="MIT",
    )


@torch.no_grad()
def fit_mahalanobis(
    model: EvidenceModel, features: Tensor, attack: Tensor, held_out: Tensor
) -> None:
    """One Gaussian for each answer, and the scores of runs that fitted none, into `model`.

    features [N, F] of known runs and attack [N] their answers; held_out [M, F], of known runs
    that only set the threshold. The model's `mean` and `scale` must be set before.
    """
    standard = ((features - model.mean) / model.scale).double()
    for answer in range(len(model.centres)):
        own = standard[attack == answer]
        spread = torch.cov(own.T) + RIDGE * torch.eye(own.shape[1]).double()
        model.centres[answer] = own.mean(0).float()
        model.precisions[answer] = torch.linalg.inv(spread).float()
    model.held_out.copy_(model.mahalanobis(held_out).sort().values)
    model.wrongly_flagged.fill_(WRONGLY_FLAGGED)


def _share(values: Tensor) -> float:
    return round(float(values.float().mean()), 4)
