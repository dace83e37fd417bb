"""Train G of CIFAR-10: adversarially, beside an encoder that makes it invert well.

G plays against a discriminator with the relativistic pairing loss and penalties on the gradients
at real and drawn images (R1 and R2; Huang et al. 2024), on images that both sides see mirrored,
moved and recoloured (Zhao et al. 2020). In a short training that alone leaves out most of what
the data holds, and an image that G cannot draw cannot be recovered. So an encoder E into W+ is
trained with G: G must redraw training images from E's code, in pixels and in the features of psi,
and the discriminator judges the redrawn images too. Half of them are redrawn from the one w that
all layers share, half with E's offsets: so W itself holds images, and W+ holds them closely.
Codes are blurred with noise, which keeps both smooth. What E finds for training images is also
what the mapping network has to make of z ~ N(0, I): it is the decoder of a variational
autoencoder of these w. `encoder.safetensors` is a by-product; inversion runs on G alone.
The weights written are a moving average.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from red_core.data.datasets import ImageSet, load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.style import StyleGenerator
from red_core.models.style_partners import StyleDiscriminator, StyleEncoder, StylePosterior
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.adversary import gradient_penalty, paired_loss, recoloured
from red_core.recipes.cifar10.training import (
    Shuffled,
    flipped_and_shifted,
    load_psi_of,
    lowered,
    train,
    write_trained,
)
from red_core.recipes.common import RecipeContext

# Of the terms of G's loss; the squared error of an image, a sum over its pixels, has weight 1.
FEATURES = 20.0
ADVERSARIAL = 2.0  # reached after a fifth of the steps: D's first slopes would drown the rest
CODE, OFFSET = 0.5, 1.0  # mean squares of E's w and of its offsets
CODE_NOISE = 0.1  # deviation of the noise on E's codes, whose own entries are near 1
DRAWN = 0.1  # the evidence bound of the codes under the mapping network, a sum over w
DRAWN_NOISE = 0.2  # deviation with which the mapping network is allowed to miss a code
PENALTY, PENALTY_EVERY = 1.0, 8
LARGEST_GRADIENT = 200.0  # a usual one has length 100 to 250, and a rare one ends the training
FEATURE_SHARE = 4  # psi's features are compared on one image in so many: they cost most


@dataclass(frozen=True)
class Size:
    """One scale of the recipe. critic: channels of D at full size; images: None for all."""

    channels: tuple[int, ...]
    latent: int
    width: int
    critic: int
    deep: bool
    encoder: int
    epochs: float
    batch: int = 128
    rate: float = 6e-4
    images: int | None = None


SIZES = {
    "tiny": Size((16, 16, 8, 8), 8, 16, 4, False, 4, epochs=2, batch=32, images=128),
    "cpu": Size((192, 192, 96, 48), 128, 256, 32, False, 32, epochs=6),
    "gpu": Size((256, 256, 128, 64), 128, 512, 96, True, 64, epochs=90, batch=256),
}


class GeneratorTrainer:
    """G, D, E and the moving averages of G and E; one step a batch."""

    def __init__(self, size: Size, data: ImageSet, psi: WideResNet, seed: int, device: str) -> None:
        torch.manual_seed(seed)
        self.size, self.device, self.psi = size, device, psi
        self.images, self.labels = data.images.to(device), data.labels.to(device)
        generator = StyleGenerator(size.channels, size.latent, size.width)
        nets = {
            "G": generator,
            "D": StyleDiscriminator(size.critic, deep=size.deep),
            "E": StyleEncoder(generator.layers, size.width, size.encoder),
            "Q": StylePosterior(size.latent, size.width),
        }
        self.nets = to_channels_last(nn.ModuleDict(nets), device)
        self.averages = copy.deepcopy(nn.ModuleDict({"G": self.nets["G"], "E": self.nets["E"]}))
        self.averages.requires_grad_(False)
        codec = [p for name in "GEQ" for p in self.nets[name].parameters()]
        self.optimisers = {
            "codec": torch.optim.Adam(codec, lr=size.rate, betas=(0.5, 0.99)),
            "D": torch.optim.Adam(self.nets["D"].parameters(), lr=size.rate, betas=(0.0, 0.99)),
        }
        self.batches = Shuffled(len(data), size.batch, seed)
        self.steps = math.ceil(size.epochs * self.batches.per_epoch)

    def step(self, number: int) -> Mapping[str, float]:
        """One update of G and E together, then one of D."""
        done = (number + 1) / self.steps
        share = min(1.0, (number + 1) / 200, max(0.02, 2 * (1 - done)))
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = self.size.rate * share
        index = self.batches(number).to(self.device)
        images, labels = flipped_and_shifted(self.images[index], margin=2), self.labels[index]
        figures, drawn, classes = self._codec_step(images, labels, min(1.0, 5 * done))
        figures["judged"] = self._critic_step(images, labels, drawn, classes, number)
        decay = min(0.9995, (number + 1) / (number + 50))
        for name, average in self.averages.items():
            kept, now = average.state_dict(), self.nets[name].state_dict()
            for key, value in kept.items():
                if value.is_floating_point():
                    value.lerp_(now[key], 1 - decay)
                else:
                    value.copy_(now[key])
        return figures

    def _codec_step(
        self, images: Tensor, labels: Tensor, share: float
    ) -> tuple[dict[str, float], Tensor, Tensor]:
        """Update G and E, with this share of D's weight.

        The losses, and redrawn and drawn images for D with their classes.
        """
        generator, critic, encoder = (self.nets[name] for name in "GDE")
        assert isinstance(generator, StyleGenerator)
        assert isinstance(encoder, StyleEncoder)
        half = len(images) // 2
        critic.requires_grad_(False)
        with lowered(self.device):
            code, offsets = encoder.parts(images)
            bound = self.evidence_bound(code.detach(), labels)
            near = self.near(code, offsets)
            noisy = near + CODE_NOISE * torch.randn_like(near)
            z = torch.randn(half, self.size.latent).to(self.device)
            w = generator.mapping(z, labels[half : 2 * half])
            # Drawn images take the second half's classes, redrawn ones are the first half's.
            stack = w.float()[:, None].expand(-1, generator.layers, -1)
            made = generator.synthesis(torch.cat((noisy, stack)))
            redrawn, drawn = made[: len(images)], made[len(images) :]
            judged = torch.cat((redrawn[:half], drawn))
            classes = torch.cat((labels[:half], labels[half : 2 * half]))
            seen = recoloured(torch.cat((judged, images[: 2 * half])))
            fake = critic(seen[: len(judged)], classes)
            with torch.no_grad():
                real = critic(seen[len(judged) :].detach(), labels[: 2 * half])
            few = slice(None, max(1, len(images) // FEATURE_SHARE))
            features = self._feature_distance(images[few], redrawn[few])
        pixels = (redrawn - images).square().sum((1, 2, 3)).mean()
        adversarial = paired_loss(fake, real)
        size, apart = code.square().mean(), offsets.square().mean()
        loss = pixels + FEATURES * features + share * ADVERSARIAL * adversarial
        loss = loss + CODE * size + OFFSET * apart + DRAWN * bound
        self.optimisers["codec"].zero_grad()
        loss.backward()
        parameters = self.optimisers["codec"].param_groups[0]["params"]
        nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        self.optimisers["codec"].step()
        critic.requires_grad_(True)
        figures = {
            "pixels": pixels.item(),
            "features": features.item(),
            "adversarial": adversarial.item(),
            "code": size.item(),
            "offsets": apart.item(),
            "bound": bound.item(),
        }
        return figures, judged.detach(), classes

    @staticmethod
    def near(common: Tensor, offsets: Tensor) -> Tensor:
        """Points of W+ [B, layers, width]; every other one keeps its offsets, the rest lie in W."""
        odd = (torch.arange(len(common), device=common.device) % 2).view(-1, 1, 1)
        return common[:, None] + odd * offsets

    def evidence_bound(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Of E's w [B, width] under the mapping network: what is missed, and how far z is moved."""
        generator = self.nets["G"]
        assert isinstance(generator, StyleGenerator)
        mean, log_variance = self.nets["Q"](codes, labels)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        missed = (generator.mapping(z, labels).float() - codes).square().sum(1)
        moved = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return 0.5 * (missed / DRAWN_NOISE**2 + moved).mean()

    def _critic_step(
        self, images: Tensor, labels: Tensor, drawn: Tensor, classes: Tensor, number: int
    ) -> float:
        """Update D; its loss."""
        critic = self.nets["D"]
        real, truth = images[: len(drawn)], labels[: len(drawn)]
        with lowered(self.device):
            seen = recoloured(torch.cat((real, drawn)))
            scores = critic(seen[: len(real)], truth), critic(seen[len(real) :], classes)
        loss = paired_loss(*scores)
        if number % PENALTY_EVERY == 0:
            few = max(1, len(real) // 2)
            penalty = gradient_penalty(critic, real[:few], truth[:few])
            penalty = penalty + gradient_penalty(critic, drawn[-few:], classes[-few:])
            loss = loss + PENALTY_EVERY * PENALTY / 2 * penalty
        self.optimisers["D"].zero_grad()
        loss.backward()
        self.optimisers["D"].step()
        return loss.item()

    def _feature_distance(self, images: Tensor, redrawn: Tensor) -> Tensor:
        """How far psi's features of two images are apart (Zhang et al. 2018), mean over images."""
        with torch.no_grad():
            wanted = self.psi.features(images)
        total = torch.zeros((), device=images.device)
        for a, b in zip(wanted, self.psi.features(redrawn), strict=True):
            apart = F.normalize(a.float(), dim=1) - F.normalize(b.float(), dim=1)
            total = total + apart.square().sum(1).mean()
        return total

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        return {
            "nets": self.nets.state_dict(),
            "averages": self.averages.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.nets.load_state_dict(state["nets"])
        self.averages.load_state_dict(state["averages"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])


def train_generator(context: RecipeContext) -> None:
    """Train, and write `generator.safetensors` and `encoder.safetensors`."""
    size = SIZES[context.scale]
    data = load_official("cifar10", "train")
    data = ImageSet(data.images[: size.images], data.labels[: size.images], data.source)
    psi = load_psi_of(context)
    trainer = GeneratorTrainer(size, data, psi, context.seed, context.device)
    hours = train(context, "generator", trainer, trainer.steps)
    generator = trainer.averages["G"]
    assert isinstance(generator, StyleGenerator)
    generator.measure_means(seed=context.seed)
    for name, network in (("generator", generator), ("encoder", trainer.averages["E"])):
        write_trained(context, "generator", name, network, hours, epochs=size.epochs)
