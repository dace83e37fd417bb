"""PGD as other libraries write it: Foolbox (Rauber et al. 2017) and ART (Nicolae et al. 2018).

Both are development packages; their own settings but for the norm, eps and the number of steps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from red_core.attacks.pgd import seeded
from red_core.data.assets import AssetError

STEPS = 40
ByLibrary = Callable[[nn.Module, Tensor, Tensor, int, str, float], Tensor]
"""x' [B, C, H, W] of a frozen network, images [B, C, H, W] in [0, 1], labels [B], a seed, a norm
("linf" or "l2") and eps; AssetError where the library is not installed."""


def foolbox_pgd(
    network: nn.Module, images: Tensor, labels: Tensor, seed: int, norm: str, eps: float
) -> Tensor:
    """Foolbox's LinfPGD or L2PGD: steps of eps / 30 from a random start."""
    with _needed("foolbox"):
        from foolbox.attacks import L2PGD, LinfPGD
        from foolbox.models.pytorch import PyTorchModel
    kind = {"linf": LinfPGD, "l2": L2PGD}[norm]
    model = PyTorchModel(network, bounds=(0, 1), device=images.device)
    with seeded(seed), torch.enable_grad():
        _, clipped, _ = kind(steps=STEPS)(model, images, labels, epsilons=eps)
    attacked: Tensor = clipped
    return attacked.detach()


def art_pgd(
    network: nn.Module, images: Tensor, labels: Tensor, seed: int, norm: str, eps: float
) -> Tensor:
    """ART's ProjectedGradientDescent: steps of eps / 10 from one random start."""
    with _needed("adversarial-robustness-toolbox"):
        from art.attacks.evasion import ProjectedGradientDescent
        from art.estimators.classification import PyTorchClassifier
    with torch.no_grad():
        classes = network(images[:1]).shape[1]
    classifier = PyTorchClassifier(
        network,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type="cpu" if images.device.type == "cpu" else "gpu",
    )
    attack = ProjectedGradientDescent(
        classifier,
        norm=np.inf if norm == "linf" else 2,
        eps=eps,
        eps_step=eps / 10,
        max_iter=STEPS,
        num_random_init=1,
        batch_size=len(images),
        verbose=False,
    )
    with seeded(seed), _seeded_elsewhere(seed), torch.enable_grad():
        made = attack.generate(images.cpu().numpy(), labels.cpu().numpy())
    return torch.from_numpy(made).to(images)


LIBRARIES: dict[str, tuple[str, ByLibrary]] = {
    "foolbox": ("Foolbox's", foolbox_pgd),
    "art": ("ART's", art_pgd),
}


@contextmanager
def _needed(package: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise AssetError(
            f"{package} is not installed: `pip install -r requirements-dev.txt`"
        ) from error


@contextmanager
def _seeded_elsewhere(seed: int) -> Iterator[None]:
    """NumPy's and Python's global generators, of which ART draws, given back as they were."""
    before = np.random.get_state(), random.getstate()
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
