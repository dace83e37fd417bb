"""How G's images compare with real ones: a Frechet distance, what psi reads, a grid to look at.

The Frechet distance here is not the usual FID: its features are psi's, those that psi's last layer
reads, and not Inception's, so it compares with nothing but itself. Besides, psi was trained on the
training images, and G on psi's features, so a small distance proves less than it seems to.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from red_core.data.assets import assets_root, record
from red_core.data.datasets import CLASSES, ImageSet, load_official
from red_core.measure.intervals import share
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.measured import add_measured
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext
from red_core.run.cifar10_parts import load_generator, load_psi
from red_core.run.settings import item_seed

COUNTS = {"tiny": 64, "cpu": 10_000, "gpu": 10_000}
BATCH = 250
ROWS, ENLARGED, GAP = 10, 2, 2  # of the grid: samples a class, pixels a pixel, pixels between
NOTE = (
    "Frechet distance of psi's penultimate features, not Inception's: comparable only with the "
    "figures beside it; psi was trained on the training images and G on psi's features"
)


def measure_fidelity(context: RecipeContext) -> None:
    """Compare drawn with real images, write the figures and `samples.png`."""
    count = COUNTS[context.scale]
    generator, psi = load_generator(context.device), load_psi(context.device)
    labels = torch.arange(count) % generator.classes
    seeds = [item_seed(context.seed, i) for i in range(count)]
    drawn = draw(generator, labels, seeds)
    test, train = (_first(load_official("cifar10", split), count) for split in ("test", "train"))
    codes = {
        name: features(psi, images)
        for name, images in (("drawn", drawn), ("test", test.images), ("train", train.images))
    }
    with torch.no_grad():
        read = psi.head(codes["drawn"].float().to(context.device)).argmax(1).cpu()
    found: Mapping[str, object] = {
        "images": count,
        "frechet_psi": round(frechet_distance(codes["drawn"], codes["test"]), 4),
        "frechet_psi_of_training_images": round(frechet_distance(codes["train"], codes["test"]), 4),
        "psi_reads_the_class_asked_for": share(int((read == labels).sum()), count),
        "spread_in_a_class": {
            "psi_features": round(spread(codes["drawn"], labels), 4),
            "psi_features_of_test": round(spread(codes["test"], test.labels), 4),
            "pixels": round(spread(drawn.flatten(1), labels), 4),
            "pixels_of_test": round(spread(test.images.flatten(1), test.labels), 4),
        },
        "note": NOTE,
        "scale": context.scale,
        "device": context.device,
        "command": context.command("fidelity"),
    }
    add_measured("generator.safetensors", "fidelity", found)
    Image.fromarray(grid(generator, context.seed)).save(
        assets_root() / "cifar10" / "samples.png", optimize=True
    )
    record(
        "cifar10",
        "samples.png",
        command=context.command("fidelity"),
        scale=context.scale,
        seed=context.seed,
        device=context.device,
        shows=f"one class a column: {', '.join(CLASSES['cifar10'])}; none left out",
        licence="MIT",
    )


def draw(generator: StyleGenerator, labels: Tensor, seeds: list[int]) -> Tensor:
    """Images [N, 3, 32, 32] of labels [N], each of its own seed, on the CPU."""
    with torch.no_grad():
        parts = [
            generator.sample(labels[part], seeds[part]).cpu()
            for part in tqdm(list(chunks(len(labels), BATCH)), desc="drawing")
        ]
    return torch.cat(parts)


def features(psi: WideResNet, images: Tensor) -> Tensor:
    """What psi's last layer reads of images [N, 3, 32, 32]: [N, F] in float64 on the CPU."""
    device = psi.head.weight.device
    with torch.no_grad():
        parts = [
            psi.features(images[part].to(device))[-1].mean((2, 3)).double().cpu()
            for part in tqdm(list(chunks(len(images), BATCH)), desc="features")
        ]
    return torch.cat(parts)


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Between the Gaussians of two sets of features [N, F] and [M, F] in float64.

    ||m_1 - m_2||^2 + tr S_1 + tr S_2 - 2 tr (S_1^(1/2) S_2 S_1^(1/2))^(1/2), squared as FID is
    (Heusel et al. 2017); the roots through eigenvalues of symmetric matrices.
    """
    means = first.mean(0), second.mean(0)
    covariances = torch.cov(first.T), torch.cov(second.T)
    values, vectors = torch.linalg.eigh(covariances[0])
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    middle = root @ covariances[1] @ root
    cross = torch.linalg.eigvalsh((middle + middle.T) / 2).clamp(min=0).sqrt().sum()
    apart = (means[0] - means[1]).square().sum()
    traces = covariances[0].trace() + covariances[1].trace()
    return max(0.0, float(apart + traces - 2 * cross))


def spread(codes: Tensor, labels: Tensor) -> float:
    """Root mean squared distance of two items [N, F] of one class, the mean over the classes.

    Over all pairs: their mean squared distance is twice the unbiased variance. 0 where a class
    collapses to one image.
    """
    parts = [codes[labels == y].double() for y in labels.unique()]
    pairs = [2 * part.var(0).sum() for part in parts if len(part) > 1]
    return float(torch.stack(pairs).sqrt().mean())


def grid(generator: StyleGenerator, seed: int) -> np.ndarray:
    """ROWS images of every class, one class a column, [H, W, 3] uint8, enlarged pixel by pixel."""
    labels = torch.arange(generator.classes).repeat(ROWS)
    images = draw(generator, labels, [item_seed(seed, i) for i in range(len(labels))])
    pixels = (images * 255).round().to(torch.uint8)
    pixels = pixels.repeat_interleave(ENLARGED, 2).repeat_interleave(ENLARGED, 3)
    pixels = torch.nn.functional.pad(pixels, (0, GAP, 0, GAP), value=255)
    rows = pixels.unflatten(0, (ROWS, generator.classes)).permute(0, 3, 1, 4, 2).flatten(2, 3)
    made: np.ndarray = rows.flatten(0, 1)[:-GAP, :-GAP].contiguous().numpy()
    return made


def _first(data: ImageSet, count: int) -> ImageSet:
    return ImageSet(data.images[:count], data.labels[:count], data.source)
