"""A generator of the user's own: weights from safetensors, around them any network.

A file may say in its header what it holds, as `python -m red_core convert` writes it: the
generator of this repository, or a foreign network's tensors. No file ever names code to run: the
network around foreign tensors is built by a function that the user names. Two shapes are taken: a
network of StyleGAN's shape, inverted in W+, and any network z -> image, inverted in z.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from red_core.models.channels_last import to_channels_last
from red_core.models.generator_interface import StyleLike, check_generator
from red_core.models.model_file import (
    ARCHITECTURE,
    CLASS_NAME,
    Factory,
    ModelFileError,
    build_network,
    read_weights,
)
from red_core.models.style import StyleGenerator

PRIORS: Final = ("normal", "uniform")
_MEAN_DRAWS: Final = 1000
_CHUNK: Final = 500
_PROBE: Final = 64  # images by which a plain generator is checked


def load_own_generator(
    path: str | Path,
    factory: Factory | None = None,
    device: str | torch.device = "cpu",
    *,
    image_shape: tuple[int, int, int] = (3, 32, 32),
    latent_shape: tuple[int, ...] | None = None,
    prior: str = "normal",
) -> StyleLike | LatentGenerator:
    """The generator of a safetensors file, frozen, on a device, and checked by running it.

    factory: builds the network of a file that is not this repository's own, called with the init
    arguments that the header keeps. It returns a network of StyleGAN's shape (see
    `StyleGANAdapter`), one that is `StyleLike` itself, or, where latent_shape is given, any network
    z [B, *latent_shape] -> images [B, *image_shape], with z from `prior`, a name of PRIORS. Raises
    ModelFileError for a file that is missing, truncated, oversized, no safetensors file, or not for
    this network, and for a network z -> image that does not fit; GeneratorError for one that does
    not keep the interface `StyleLike`.
    """
    path = Path(path)
    tensors, metadata = read_weights(path)
    network: nn.Module
    if metadata.get(ARCHITECTURE) == "red-style":
        if not is_ours(tensors):
            raise ModelFileError(
                f"{path} says it holds a generator of this repository, but its tensors are others"
            )
        network = StyleGenerator.from_tensors(tensors)
    elif factory is None:
        made = metadata.get(CLASS_NAME, "a network that this repository does not have")
        raise ModelFileError(
            f"{path} holds the tensors of {made}: name the Python file whose build() makes it"
        )
    else:
        network = build_network(path, factory, tensors, metadata)
    if latent_shape is not None:
        return LatentGenerator(network, latent_shape, image_shape, prior).to(device)
    network = to_channels_last(network.float(), device).eval().requires_grad_(False)
    own: Any = network
    if not isinstance(network, StyleGenerator) and hasattr(network, "num_ws"):
        own = StyleGANAdapter(network)
    check_generator(own, image_shape)
    return own


def is_ours(tensors: Mapping[str, Tensor]) -> bool:
    """Whether tensors are those of this repository's StyleGenerator, by names and shapes.

    The network they describe is only outlined, so that a made-up shape allocates nothing.
    """
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing is copied into an outline
            StyleGenerator.from_tensors(tensors)
    except (LookupError, ValueError, TypeError, RuntimeError):
        return False
    return True


class LatentGenerator(nn.Module):
    """Any network z -> image as G of flat z ~ N(0, I): [B, d] -> [B, *image_shape] in [0, 1].

    network: z [B, *latent_shape] -> images in [0, 1], or in [-1, 1], which are moved to [0, 1]
    (found from its images); prior: of the network's own z: "normal", N(0, I), or "uniform" on
    [-1, 1], whose z is 2 Phi(z) - 1 of the normal one, so that every z here is N(0, I) (the prior
    of `GaussianPrior`, and what `latent_weight` pulls to the origin). Raises ModelFileError with
    one sentence where the network cannot be inverted.
    """

    def __init__(
        self,
        network: nn.Module,
        latent_shape: tuple[int, ...],
        image_shape: tuple[int, int, int],
        prior: str = "normal",
    ) -> None:
        super().__init__()
        if prior not in PRIORS:
            raise ModelFileError(f"unknown prior {prior!r}: choose {' or '.join(PRIORS)}")
        if not latent_shape or any(size < 1 for size in latent_shape):
            raise ModelFileError(f"a latent shape is whole numbers from 1, not {latent_shape}")
        self.network, self.prior = network.float().eval().requires_grad_(False), prior
        self.latent_shape, self.image_shape = latent_shape, image_shape
        self.latent = prod(latent_shape)
        self.signed = False
        self._check()

    def forward(self, z: Tensor) -> Tensor:
        """Images [B, *image_shape] in [0, 1] of z [B, d] ~ N(0, I)."""
        if self.prior == "uniform":
            z = torch.erf(z / 2**0.5)  # 2 Phi(z) - 1
        images: Tensor = self.network(z.reshape(-1, *self.latent_shape))
        return (images / 2 + 0.5 if self.signed else images).clamp(0, 1)

    def _check(self) -> None:
        """Run the network once; ModelFileError at the first fault."""
        z = torch.randn(_PROBE, self.latent, generator=_seeded(0)).requires_grad_()
        given = torch.erf(z / 2**0.5) if self.prior == "uniform" else z
        try:
            made = self.network(given.reshape(-1, *self.latent_shape))
            alone = self.network(given[:1].reshape(-1, *self.latent_shape))
        except Exception as error:  # whatever a stranger's code raises
            text = " ".join(str(error).split())[:200]
            raise ModelFileError(
                f"the generator does not take z of shape {list(self.latent_shape)}: {text}"
            ) from error
        if not isinstance(made, Tensor) or made.shape != (_PROBE, *self.image_shape):
            size = list(made.shape[1:]) if isinstance(made, Tensor) else type(made).__name__
            raise ModelFileError(
                f"the generator draws {size}, and {list(self.image_shape)} is needed"
            )
        if not bool(made.isfinite().all()):
            raise ModelFileError("the generator draws values that are not finite")
        low, high = float(made.detach().min()), float(made.detach().max())
        if low < -1.001 or high > 1.001:
            raise ModelFileError(
                f"the generator draws values from {low:.2f} to {high:.2f}, not in [0, 1] or [-1, 1]"
            )
        if not torch.allclose(made[:1], alone, atol=1e-3):
            raise ModelFileError("the generator's image of one z depends on its neighbours")
        gradient = None
        if made.requires_grad:
            weights = torch.linspace(0.5, 1.5, made[0].numel())
            (gradient,) = torch.autograd.grad((made.flatten(1) * weights).sum(), z)
        if gradient is None or not bool(gradient.isfinite().all()) or not bool(gradient.any()):
            raise ModelFileError("no finite gradient of the generator's images reaches z")
        self.signed = low < -0.05


class StyleGANAdapter(nn.Module):
    """A network of StyleGAN2's, StyleGAN3's or StyleGAN-XL's shape behind `StyleLike`.

    network: has `z_dim`, `w_dim`, `c_dim` (0 where not conditional), `num_ws`,
    `mapping(z, c, truncation_psi=1)` -> [B, num_ws, w_dim] with one-hot classes c, and
    `synthesis(ws, noise_mode="const")` -> images in [-1, 1], which are clamped and moved to
    [0, 1]. mean_w is measured once, from 1000 seeded z a class. Raises ModelFileError where
    one of these is missing, or the images are not 3 x 32 x 32.
    """

    image_shape = (3, 32, 32)
    class_means: Tensor

    def __init__(self, network: nn.Module, seed: int = 0) -> None:
        super().__init__()
        for name in ("z_dim", "w_dim", "c_dim", "num_ws", "mapping", "synthesis"):
            if not hasattr(network, name):
                raise ModelFileError(f"the network has no `{name}`, as a StyleGAN has")
        own: Any = network
        self.network = own
        self.latent, self.width = int(own.z_dim), int(own.w_dim)
        self.layers, self.conditions = int(own.num_ws), int(own.c_dim)
        self.classes = max(1, self.conditions)
        self.register_buffer("class_means", self._measure_means(seed))
        self._check_images()

    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        """w [B, w_dim] of z [B, z_dim] and labels [B]; no truncation."""
        if z.dim() != 2 or z.shape[1] != self.latent or labels.shape != z.shape[:1]:
            raise ValueError(
                f"mapping needs z [B, {self.latent}] and labels [B], "
                f"not {list(z.shape)} and {list(labels.shape)}"
            )
        self._check_labels(labels)
        c = torch.zeros(len(z), self.conditions, device=z.device)
        if self.conditions:
            c[torch.arange(len(z), device=z.device), labels] = 1
        ws: Tensor = self.network.mapping(z, c, truncation_psi=1)
        if ws.dim() != 3 or not torch.equal(ws[:, :1].expand_as(ws), ws):
            raise ValueError("the mapping network must give every layer the same w")
        return ws[:, 0]

    def synthesis(self, w: Tensor) -> Tensor:
        """Images [B, 3, 32, 32] in [0, 1] of w [B, num_ws, w_dim] or [B, w_dim]."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.layers, -1)
        if w.dim() != 3 or w.shape[1:] != (self.layers, self.width):
            raise ValueError(
                f"synthesis needs w [B, {self.layers}, {self.width}] or [B, {self.width}], "
                f"not {list(w.shape)}"
            )
        images: Tensor = self.network.synthesis(w, noise_mode="const")
        return (images.float() / 2 + 0.5).clamp(0, 1)

    def forward(self, w: Tensor) -> Tensor:
        """The same as `synthesis`: G of a point of W+."""
        return self.synthesis(w)

    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Images [B, 3, 32, 32] of classes `labels` [B], each of its own seed alone."""
        if len(seeds) != len(labels):
            raise ValueError(f"{len(labels)} images need as many seeds, not {len(seeds)}")
        draws = [torch.randn(self.latent, generator=_seeded(seed)) for seed in seeds]
        z = torch.stack(draws) if draws else torch.empty(0, self.latent)
        z = z.to(self.class_means.device)
        return self.synthesis(self.mapping(z, labels.to(z.device)))

    def mean_w(self, labels: Tensor | None = None) -> Tensor:
        """The mean w of each label's class [B, w_dim]; of all classes [1, w_dim] for None."""
        if labels is None:
            return self.class_means.mean(0, keepdim=True)
        self._check_labels(labels)
        return self.class_means[labels]

    def _check_labels(self, labels: Tensor) -> None:
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(f"labels must lie from 0 to {self.classes - 1}")

    @torch.no_grad()
    def _measure_means(self, seed: int) -> Tensor:
        device = next((p.device for p in self.network.parameters()), torch.device("cpu"))
        z = torch.randn(_MEAN_DRAWS, self.latent, generator=_seeded(seed)).to(device)
        means = []
        for y in range(self.classes):
            parts = [
                self.mapping(part, torch.full((len(part),), y, device=device)).sum(0)
                for part in z.split(_CHUNK)
            ]
            means.append(torch.stack(parts).sum(0) / _MEAN_DRAWS)
        return torch.stack(means)

    @torch.no_grad()
    def _check_images(self) -> None:
        ws = self.class_means[:1, None].expand(-1, self.layers, -1)
        images: Tensor = self.network.synthesis(ws, noise_mode="const")
        if tuple(images.shape[1:]) != self.image_shape:
            size = " x ".join(map(str, images.shape[1:]))
            raise ModelFileError(f"the network draws {size}, and 3 x 32 x 32 is needed")


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
