"""The denoiser's second training: attacked, then noised images, judged by psi's features too.

The pixels of an attack are small beside those of the noise, so a loss on pixels alone leaves as
much of it as noise hides. Here D sees x' + n, its answer is compared with x in pixels and in psi's
features and logits (high-level guided denoising, Liao et al. 2018), and clean images stay among
what it sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import Denoiser
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.pool import Pool
from red_core.recipes.cifar10.training import AveragedTrainer, flipped_and_shifted, lowered

SIGMA = (0.02, 0.35)  # of the noise, on the [-1, 1] scale
CLEAN = 0.25  # share of the images that are not attacked
STRONGEST = 1.5  # factor on the pool's perturbations
WARM_UP = 0.05  # share of the steps in which the rate rises
MEMORY = 0.05  # share of the steps over which the weights are averaged
PIXELS, FEATURES, LOGITS = 1.0, 0.5, 0.5  # weights of the three losses


@dataclass(frozen=True)
class Guidance:
    """One scale of the second training."""

    steps: int
    batch: int = 128
    peak: float = 0.003


class GuidedTrainer(AveragedTrainer):
    """A trained denoiser, psi and the pool; one step a batch."""

    network: Denoiser

    def __init__(
        self,
        size: Guidance,
        denoiser: Denoiser,
        psi: WideResNet,
        pool: Pool,
        seed: int,
        device: str,
    ) -> None:
        torch.manual_seed(seed)
        self.size, self.device, self.psi, self.pool = size, device, psi, pool
        network = to_channels_last(denoiser, device).train().requires_grad_(True)
        super().__init__(network, size.steps, size.peak, WARM_UP, MEMORY)

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; its three losses. All that is random comes from the CPU's generator."""
        drawn = self.pool.drawn(self.size.batch, strongest=STRONGEST)
        count = len(drawn.labels)
        kept = torch.rand(count, 1, 1, 1) < CLEAN
        both = torch.cat((drawn.clean, torch.where(kept, drawn.clean, drawn.attacked)), 1)
        clean, given = flipped_and_shifted(both, margin=2).to(self.device).split(3, 1)
        clean = clean.contiguous(memory_format=torch.channels_last)
        sigma = (SIGMA[0] + (SIGMA[1] - SIGMA[0]) * torch.rand(count)).to(self.device)
        noise = torch.randn(given.shape).to(self.device)
        noisy = (2 * given - 1 + sigma.view(-1, 1, 1, 1) * noise).contiguous(
            memory_format=torch.channels_last
        )
        with lowered(self.device):
            made = (self.network(noisy, sigma) + 1) / 2
            with torch.no_grad():
                wanted, aim = self._read(clean)
            found, logits = self._read(made)
        pixels = (made - clean).square().mean((1, 2, 3)) / (0.01 + 0.1 * sigma).square()
        features = (found - wanted).square().sum(1) / wanted.square().sum(1)
        apart = F.kl_div(logits.log_softmax(1), aim.softmax(1), reduction="batchmean")
        losses = {"pixels": pixels.mean(), "features": features.mean(), "logits": apart}
        loss = PIXELS * losses["pixels"] + FEATURES * losses["features"] + LOGITS * losses["logits"]
        self.descend(number, loss)
        right = (logits.argmax(1).cpu() == drawn.labels).float().mean()
        return {name: value.item() for name, value in losses.items()} | {"right": right.item()}

    def _read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """psi's last features, averaged over places [B, width], and its logits, in float32."""
        features = self.psi.features(images)[-1].mean((2, 3))
        logits: Tensor = self.psi.head(features)
        return features.float(), logits.float()
