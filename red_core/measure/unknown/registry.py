"""The attacks that are measured: the known ones, those nobody trained for, and the adaptive.

The adaptive ones are made for the method that is to answer them; the others are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from red_core.algorithm.presets import PAPER_FILES
from red_core.attacks import patch, simple
from red_core.attacks.losses import cross_entropy
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings, craft
from red_core.data.assets import AssetError, read_manifest
from red_core.measure.unknown.adaptive import (
    DRAWS,
    ThroughEncoder,
    adaptive_settings,
    craft_adaptive,
    purified_by,
    rebuild_with,
)
from red_core.measure.unknown.libraries import LIBRARIES
from red_core.measure.unknown.libraries import STEPS as LIBRARY_STEPS
from red_core.methods.bsd_dp import (
    VOTES,
    BsdDp,
    DiffPure,
    DiffPureFixed,
    DiffPureOne,
    DiffPureVote,
)
from red_core.methods.bsd_gan import BsdGanBest
from red_core.methods.method import Method
from red_core.models.surrogate import FILE, Surrogate
from red_core.run.bundle import Bundle, load_network
from red_core.run.cifar10_parts import load_wide_resnet

Craft = Callable[[Bundle, Tensor, Tensor, Sequence[int]], Tensor]
"""x' [B, C, H, W] of images [B, C, H, W] in [0, 1] with true labels [B] and a seed an image."""

BEST = BsdGanBest.key
# Those that answer, by key: not all methods, whose code would count for the keys of the results.
ANSWERING: dict[str, type[Method]] = {
    method.key: method for method in (BsdGanBest, BsdDp, DiffPure, DiffPureFixed, DiffPureVote)
}
# The data sets, and the methods that answer the attacks on them.
MEASURED = {"mnist": (BEST,), "fashion": (BEST,), "cifar10": tuple(ANSWERING)}
GROUPS = {
    "known": "what it was made for, at the paper's strength",
    "unseen": "what nobody trained it for",
    "adaptive": "an attacker who knows the reconstruction",
}
ROBUST = "robust-linf.safetensors"
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


def unseen_attacks(dataset: str, method: str = BEST) -> dict[str, Unseen]:
    """Every attack by key, in the order to show them, at the data set's budgets.

    method: key of the method that answers; one of MEASURED.
    """
    paper = PAPER_ATTACKS[dataset]
    attacks = [
        *(_known(kind, settings) for kind, settings in paper.items()),
        _clean(),
        _fgsm(paper["linf"].eps),
        _ddn(),
        _shrinking_l2(paper["l2"]),
        _patch(),
        _noise(paper["linf"].eps),
        _transfer(dataset, paper["linf"]),
        *(_of_libraries(paper) if dataset == "cifar10" else ()),
        *_adaptive_attacks(method, paper),
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


def _noise(sigma: float) -> Unseen:
    """sigma: as much as the paper's l-inf attack may add."""
    return Unseen(
        *("noise", "Gaussian noise", "unseen", None),
        f"noise of standard deviation {sigma:g} on every pixel: no attack at all",
        {"sigma": sigma},
        (),
        lambda bundle, images, labels, seeds: simple.noise(images, seeds, sigma),
    )


def _transfer(dataset: str, settings: AttackSettings) -> Unseen:
    file = second_network(dataset)

    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        if bundle.dataset == "cifar10":
            network: nn.Module = load_wide_resnet(file, bundle.device)
        else:
            network = load_network(Surrogate(), bundle.dataset, FILE, bundle.device)
        return craft(network, images, labels, settings, seeds)

    words = "a network of LeNet-5's shape"
    if dataset == "cifar10":
        words = "an adversarially trained network" if file == ROBUST else "an independent network"
    return Unseen(
        *("transfer", "another network's ℓ∞", "unseen", "linf"),
        f"{settings.steps} steps on {words} within ℓ∞ eps {settings.eps:g}",
        {**asdict(settings), "network": file.removesuffix(".safetensors")},
        (file,),
        make,
    )


def second_network(dataset: str) -> str:
    """The file of a network that is not psi: where only a robust one has been made, that one's."""
    made = read_manifest(dataset)
    return ROBUST if dataset == "cifar10" and FILE not in made and ROBUST in made else FILE


def _of_libraries(paper: Mapping[str, AttackSettings]) -> Iterator[Unseen]:
    """The same norms and budgets, as other libraries attack."""
    for name, (whose, _) in LIBRARIES.items():
        for norm in ("linf", "l2"):
            yield _of_library(name, whose, norm, paper[norm].eps)


def _of_library(name: str, whose: str, norm: str, eps: float) -> Unseen:
    attack = LIBRARIES[name][1]
    return Unseen(
        *(f"{name}-{norm}", f"{whose} {NORMS[norm]}", "unseen", norm),
        f"{whose} own PGD, {LIBRARY_STEPS} steps on ψ within {NORMS[norm]} eps {eps:g}",
        {"library": name, "steps": LIBRARY_STEPS, "eps": eps},
        PSI_FILES,
        lambda bundle, images, labels, seeds: attack(
            bundle.psi, images, labels, seeds[0], norm, eps
        ),
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


def _adaptive_attacks(method: str, paper: Mapping[str, AttackSettings]) -> Iterator[Unseen]:
    """Those of an attacker who knows how the method reconstructs."""
    eps = {kind: paper[kind].eps for kind in ("linf", "l2")}
    if method == BEST:
        for kind in eps:
            yield _through_encoder(kind, paper[kind])
        for kind in eps:
            yield _adaptive(kind, eps[kind])
    elif issubclass(ANSWERING[method], DiffPure):
        for kind in eps:
            yield _on_diffpure(method, kind, eps[kind], exact=False)
        for second in (False, True):
            for kind in eps:
                yield _on_diffpure(method, kind, eps[kind], exact=True, second=second)
    else:
        for kind in eps:
            yield _adaptive(kind, eps[kind], method)


def _adaptive(kind: str, eps: float, method: str = BEST) -> Unseen:
    """BPDA and EOT through the solver of `best`, or of BSD-DP."""
    settings = adaptive_settings(kind, eps)
    norm = NORMS[kind]
    preset, drawn = "best", "starts"
    files: tuple[str, ...] = READ_FILES
    named: dict[str, str] = {}
    if method != BEST:
        preset, drawn, files = BsdDp.preset, "noise", BsdDp.files
        named = {"method": method}

    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        reader = bundle.readers.reader or bundle.psi
        rebuild = rebuild_with(bundle, preset)
        return craft_adaptive(rebuild, reader, images, labels, settings, seeds)

    return Unseen(
        *(f"adaptive-{kind}", f"adaptive {norm}", "adaptive", kind),
        f"{settings.steps} steps through the reconstruction within {norm} eps {eps:g}, "
        f"{DRAWS} draws of the {drawn} a step",
        {**asdict(settings), "draws": DRAWS, **named},
        files,
        make,
    )


def _on_diffpure(method: str, kind: str, eps: float, exact: bool, second: bool = False) -> Unseen:
    """Through the purification, with its gradient or without, and psi or our second classifier."""
    settings = adaptive_settings(kind, eps)
    norm, fixed, vote = NORMS[kind], method == "dp-fixed", method == "dp-vote"
    draws = 1 if fixed else VOTES if vote else DRAWS
    attacked = DiffPureOne if vote else ANSWERING[method]  # each vote is one purification

    def make(bundle: Bundle, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        reader = bundle.readers.reader if second else bundle.psi
        if reader is None:
            raise AssetError("reader.safetensors is not made yet: `python -m red_core recipe`")
        purifying = attacked.fit(bundle)
        assert isinstance(purifying, DiffPure)
        rebuild = purified_by(purifying)
        return craft_adaptive(rebuild, reader, images, labels, settings, seeds, draws, exact)

    noise = "the defence's own noise" if fixed else f"{draws} draws of the noise a step"
    of = "our second classifier" if second else "ψ"
    how = "with the gradient of" if exact else "through"
    name = ("gradient-reader" if second else "gradient") if exact else "adaptive"
    title = f"{norm} through D and {of}" if exact else f"adaptive {norm}"
    return Unseen(
        *(f"{name}-{kind}", title, "adaptive", kind),
        f"{settings.steps} steps on {of} {how} D(x') within {norm} eps {eps:g}, {noise}",
        {
            **asdict(settings),
            **{"draws": draws, "method": method, "exact": exact},
            "reader": "reader" if second else "psi",
        },
        ANSWERING[method].files,
        make,
    )
