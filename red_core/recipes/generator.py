"""Train G, the DCGAN, so that it inverts well: adversarial loss plus an inversion term.

A plain DCGAN drops modes, and a digit it cannot draw cannot be recovered. So an encoder E is
trained beside it (VAE/GAN, Larsen et al. 2016): G must redraw training digits from E's code,
codes are kept near N(0, I) by the usual KL term, and the discriminator judges both redrawn
images and images drawn from N(0, I); `adversary.py` holds its loss. E is thrown away; the
inversion in the app runs on G alone. Weights are the moving average of the second half's, over
which the rates fall.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from red_core.data.assets import write_tensors
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.dcgan import LATENT, DCGANGenerator, Encoder
from red_core.recipes.adversary import JUDGES, make_discriminator
from red_core.recipes.common import (
    RecipeContext,
    load_checkpoint,
    save_checkpoint,
    shuffled_batches,
)

EPOCHS = 8
# Against a KL weight of 1. More redraws training digits more closely, but leaves holes between
# their codes, which an attack can use: at 25 times the squared error, draws from N(0, I) were
# grey noise.
PIXEL_WEIGHT = 2.0
ADVERSARIAL_WEIGHT = 12.0
AVERAGE_DECAY = 0.999


class _Trainer:
    """Networks, optimisers and the moving average of G; one `step` per batch."""

    def __init__(self, dataset: str, device: str) -> None:
        self.judge = JUDGES[dataset]
        nets = nn.ModuleDict(
            {"G": DCGANGenerator(), "D": make_discriminator(dataset), "E": Encoder(width=32)}
        )
        self.nets = to_channels_last(nets, device)
        self.average = copy.deepcopy(self.nets["G"])
        self.averaging = False
        codec = [*self.nets["G"].parameters(), *self.nets["E"].parameters()]
        self.optimisers = {
            "codec": torch.optim.Adam(codec, lr=1e-3, betas=(0.5, 0.99)),
            "D": torch.optim.Adam(self.nets["D"].parameters(), lr=4e-4, betas=(0.5, 0.99)),
        }

    def set_rate(self, share: float) -> None:
        """Scale both learning rates; the average of G begins when they begin to fall."""
        self.averaging = share < 1
        self.optimisers["codec"].param_groups[0]["lr"] = 1e-3 * share
        self.optimisers["D"].param_groups[0]["lr"] = 4e-4 * share

    def step(self, images: Tensor) -> dict[str, float]:
        """One update of E and G together, then one of D; returns the losses."""
        generator, discriminator, encoder = (self.nets[name] for name in "GDE")
        mean, log_variance = encoder(images)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        drawn = torch.randn_like(code[: len(code) // 2])
        redrawn = generator(torch.cat((code, drawn)))
        pixel = F.binary_cross_entropy(redrawn[: len(images)], images, reduction="sum")
        pixel = pixel / len(images)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum() / len(images)
        fooled = -discriminator(redrawn).mean()
        loss = PIXEL_WEIGHT * pixel + kl + ADVERSARIAL_WEIGHT * fooled
        self.optimisers["codec"].zero_grad()
        loss.backward()
        self.optimisers["codec"].step()

        fake = redrawn.detach()[torch.randperm(len(redrawn))[: len(images)]]
        judged = self.judge(discriminator, images, fake)
        self.optimisers["D"].zero_grad()
        judged.backward()
        self.optimisers["D"].step()
        decay = AVERAGE_DECAY if self.averaging else 0.0
        with torch.no_grad():
            for kept, now in zip(
                self.average.state_dict().values(), generator.state_dict().values(), strict=True
            ):
                if kept.is_floating_point():
                    kept.lerp_(now, 1 - decay)
                else:
                    kept.copy_(now)
        return {"pixel": pixel.item(), "kl": kl.item(), "fooled": fooled.item()}

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs."""
        return {
            "nets": self.nets.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: opt.state_dict() for name, opt in self.optimisers.items()},
        }

    def load(self, state: dict[str, dict[str, object]]) -> None:
        """Continue from `state()`."""
        self.nets.load_state_dict(state["nets"])
        self.average.load_state_dict(state["average"])
        for name, opt in self.optimisers.items():
            opt.load_state_dict(state["optimisers"][name])  # type: ignore[arg-type]


def train_generator(context: RecipeContext) -> None:
    """Train G and write `generator.safetensors`."""
    images = load_official(context.dataset, "train").images
    epochs = EPOCHS
    if context.tiny:
        images, epochs = images[:512], 2
    images = images.to(context.device)
    torch.manual_seed(context.seed)
    trainer = _Trainer(context.dataset, context.device)
    first = 0
    if state := load_checkpoint(context.checkpoint("generator")):
        trainer.load(state)
        first = state["epoch"]
    bar = tqdm(range(first, epochs), desc="generator", initial=first, total=epochs)
    for epoch in bar:
        torch.manual_seed(context.seed * 7919 + epoch)  # a resumed run draws the same noise
        losses: dict[str, float] = {}
        for number, index in enumerate(shuffled_batches(len(images), 128, context.seed, epoch)):
            done = (epoch + number * 128 / len(images)) / epochs
            trainer.set_rate(max(0.02, min(1.0, 2 * (1 - done))))
            losses = trainer.step(images[index.to(context.device)])
        bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()})
        save_checkpoint(context.checkpoint("generator"), epoch=epoch + 1, **trainer.state())
    write_tensors(
        context.dataset,
        "generator.safetensors",
        trainer.average.state_dict(),
        command=context.command("generator"),
        seed=context.seed,
        device=context.device,
        latent=LATENT,
        licence="MIT",
    )
