"""The attacks that are measured: the known ones, those nobody trained for, and the adaptive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from red_core.algorithm.presets import PAPER_FILES
from red_core.attacks import patch, simple
from red_core.attacks.losses import cross_entropy
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings, craft
from red_core.measure.unknown.adaptive import (
    DRAWS,
    ThroughEncoder,
    adaptive_settings,
    craft_adaptive,
    rebuild_best,
)
from red_core.models.surrogate import FILE, Surrogate
from red_core.run.bundle import Bundle, load_network

Craft = Callable[[Bundle, Tensor, Tensor, Sequence[int]], Tensor]
"""x' [B, C, H, W] of images [B, C, H, W] in [0, 1] with true labels [B] and a seed an image."""

MEASURED = ("mnist", "fashion")  # the data sets that have a network of another make to attack
GROUPS = {
    "known": "what it was made for, at the paper's strength",
    "unseen": "what nobody trained it for",
    "adaptive": "an attacker who knows the reconstruction",
}
NORMS = {"linf": "ℓ∞", "l2": "ℓ2", "l1": "ℓ1"}
PSI_FILES = ("classifier.safetensors",)
READ_FILES = (*PAPER_FILES, "encoder.safetensors", "reader.safetensors")


@dataclass(frozen=True)
class Unseen:
    """One attack of the measurement.

    group: in GROUPS; family: the known answer that is right too, because the perturbation obeys
    the same norm's budget, or None; words: what it may do; settings: its numbers; files: the
    trained files that it attacks; make: crafts it.
    """

    key: str
    title: str
    group: str
    family: str | None
    words: str
    settings: dict[str, Any]
    files: tuple[str, ...]
    make: Craft


def unseen_attacks(dataset: str) -> dict[str, Unseen]:
    """Every attack by key, in the order to show them, at the data set's budgets."""
    paper = PAPER_ATTACKS[dataset]
    attacks = [
        *(_known(kind, settings) for kind, settings in paper.items()),
        _clean(),
        _fgsm(paper["linf"].eps),
        _ddn(),
        _shrinking_l2(paper["l2"]),
        _patch(),
        _noise(),
        _transfer(paper["linf"]),
        *(_through_encoder(kind, paper[kind]) for kind in ("linf", "l2")),
        *(_adaptive(kind, paper[kind].eps) for kind in ("linf", "l2")),
    ]
    return {attack.key: attack for attack in attacks}


def _known(kind: str, settings: AttackSettings) -> Unseen:
    norm = NORMS[kind]
    return Unseen(
        *(kind, f"PGD {norm}", "known", kind),
        f"{settings.steps} steps on ψ within {norm} eps {settings.eps:g}",
        asdict(settings),
        PSI_FILES,
        lambda bundle, images, labels, seeds: craft(bundle.psi, images, labels, settings, seeds),
    )


def _clean() -> Unseen:
    return Unseen(
        *("none", "no attack", "known", "none", "the image as it is", {}, ()),
        lambda bundle, images, labels, seeds: images.clone(),
    )


def _fgsm(eps: float) -> Unseen:
    return Unseen(
        *("fgsm", "FGSM", "unseen", "linf", f"one step on ψ of ℓ∞ size {eps:g}"),
        {"eps": eps},
        PSI_FILES,
        lambda bundle, images, labels, seeds: simple.fgsm(bundle.psi, images, labels, eps),
    )


def _ddn() -> Unseen:
    return Unseen(
        *("ddn", "DDN ℓ2", "unseen", "l2"),
        f"the shortest ℓ2 way past ψ that {simple.DDN_STEPS} steps find, no longer",
        {"steps": simple.DDN_STEPS},
        PSI_FILES,
        lambda bundle, images, labels, seeds: simple.ddn(bundle.psi, images, labels, seeds[0]),
    )


def _shrinking_l2(settings: AttackSettings) -> Unseen:
    return Unseen(
        *("shrinking-l2", "AdverTorch's own ℓ2", "unseen", "l2"),
        f"{settings.steps} steps up ψ's cross-entropy within ℓ2 eps {settings.eps:g}: the library "
        "divides the gradient by at least 1e-6, so where ψ is sure the random start is all",
        {**asdict(settings), "loss": "cross-entropy"},
        PSI_FILES,
        lambda bundle, images, labels, seeds: craft(
            bundle.psi, images, labels, settings, seeds, loss=cross_entropy
        ),
    )


def _patch() -> Unseen:
    side = patch.SIDE
    return Unseen(
        *("patch", "patch", "unseen", None),
        f"any pixels in one square of {side} x {side}, {patch.STEPS} steps on ψ",
        {"side": side, "steps": patch.STEPS, "step_size": patch.STEP, "border": patch.BORDER},
        PSI_FILES,
        lambda bundle, images, labels, seeds: patch.patch(bundle.psi, images, labels, seeds),
    )


def _noise() -> Unseen:
    return Unseen(
        *("noise", "Gaussian noise", "unseen", None),
        f"noise of standard deviation {simple.NOISE:g} on every pixel: no attack at all",
        {"sigma": simple.NOISE},
        (),
        lambda bundle, images, labels, seeds: simple.noise(images, seeds),
    )


def _transfer(settings: AttackSettings) -> Unseen:
    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        network = load_network(Surrogate(), bundle.dataset, FILE, bundle.device)
        return craft(network, images, labels, settings, seeds)

    return Unseen(
        *("transfer", "another network's ℓ∞", "unseen", "linf"),
        f"{settings.steps} steps on a network of LeNet-5's shape within ℓ∞ eps {settings.eps:g}",
        {**asdict(settings), "network": "surrogate"},
        (FILE,),
        make,
    )


def _through_encoder(kind: str, settings: AttackSettings) -> Unseen:
    norm = NORMS[kind]

    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        return craft(ThroughEncoder(bundle), images, labels, settings, seeds)

    return Unseen(
        *(f"encoder-{kind}", f"{norm} through the encoder", "adaptive", kind),
        f"{settings.steps} steps on the reader of G(E(x')) within {norm} eps {settings.eps:g}",
        asdict(settings),
        ("generator.safetensors", "encoder.safetensors", "reader.safetensors"),
        make,
    )


def _adaptive(kind: str, eps: float) -> Unseen:
    settings = adaptive_settings(kind, eps)
    norm = NORMS[kind]

    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        reader = bundle.readers.reader or bundle.psi
        return craft_adaptive(rebuild_best(bundle), reader, images, labels, settings, seeds)

    return Unseen(
        *(f"adaptive-{kind}", f"adaptive {norm}", "adaptive", kind),
        f"{settings.steps} steps through the reconstruction within {norm} eps {eps:g}, "
        f"{DRAWS} draws of the starts a step",
        {**asdict(settings), "draws": DRAWS},
        READ_FILES,
        make,
    )
