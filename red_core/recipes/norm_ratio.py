"""Fit the norm-ratio rule: which attack, by the norms of x' - G(E(x')) alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import write_tensors
from red_core.methods.competitors import norm_features
from red_core.models.evidence_model import EvidenceModel
from red_core.recipes.common import RecipeContext
from red_core.recipes.encoder import load_generator
from red_core.recipes.reader import load_encoder
from red_core.recipes.typed_images import typed_images

STEPS = 4000


def fit_norm_ratio(context: RecipeContext) -> None:
    """Fit and write `norm-ratio.safetensors`. A minute of work, so it keeps no checkpoint."""
    typed = typed_images(context)
    generator, encoder = load_generator(context), load_encoder(context)
    features = torch.cat(
        [_features(generator, encoder, part, context.device) for part in typed.images.split(500)]
    )
    torch.manual_seed(context.seed + 4)
    model = EvidenceModel(features.shape[1], len(ATTACKS) + 1, width=16)
    model.mean.copy_(features.mean(0))
    model.scale.copy_(features.std(0).clamp_min(1e-4))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=STEPS)
    for _ in tqdm(range(STEPS), desc="norm ratio"):
        index = torch.randint(len(features), (512,))
        loss = F.cross_entropy(model(features[index]), typed.kinds[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.requires_grad_(False)
    right = float((model(features).argmax(1) == typed.kinds).float().mean())
    write_tensors(
        context.dataset,
        "norm-ratio.safetensors",
        model.state_dict(),
        command=context.command("norm_ratio"),
        seed=context.seed,
        device="cpu",
        measured={"right_on_its_training_images": round(right, 4)},
        licence="MIT",
    )


@torch.no_grad()
def _features(
    generator: torch.nn.Module, encoder: torch.nn.Module, images: Tensor, device: str
) -> Tensor:
    images = images.float().to(device)
    z, _ = encoder(images)
    return norm_features(images - generator(z)).cpu()
