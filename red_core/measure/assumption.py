"""Section 3's assumption, measured: an attack on a test image lies in the span of its block of D_a.

The model delta ~ D_a[i][j] c_a[i][j] holds for a held-out attack so far as its relative residual
||delta - P delta|| / ||delta|| is small, with P the projection on the span of its own block
(class i, attack j). That says little by itself: 200 columns span a quarter of a 28 x 28 image
whatever they are, and 2,000 nearly all of it. So every span is compared with a random subspace of
its own dimension, and beside as many columns of the other attacks' blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.measure.attack_cache import AttackCache
from red_core.measure.intervals import share
from red_core.measure.result_store import Key, images_digest, keep, result_key
from red_core.run.bundle import Bundle
from red_core.run.code_digest import code_digest
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import SettingsError, item_seed

ASSUMPTION = "assumption.json"
FILES = ("classifier.safetensors", "dictionary.safetensors")
# D_a is stored in half precision: directions below this, of the largest, are its rounding.
TOLERANCE = 1e-4
DRAWS = 5  # of columns, and of random subspaces
QUANTILES = (5, 25, 50, 75, 95)
SPANS = {
    "own": "its own block: its class and its attack",
    "attack_drawn": "as many columns of its attack, any class",
    "others_drawn": "as many columns of the other attacks, any class",
    "attack": "all of its attack's blocks",
    "others": "all of the other attacks' blocks",
}


@dataclass(frozen=True)
class Span:
    """Bases of one span: each [n, r] with orthonormal columns; columns: how many made each."""

    bases: tuple[Tensor, ...]
    columns: int

    @property
    def rank(self) -> float:
        """The dimension, the mean of the draws'."""
        return sum(basis.shape[1] for basis in self.bases) / len(self.bases)

    def residuals(self, rows: Tensor) -> Tensor:
        """||delta - P delta|| / ||delta|| of rows [N, n], averaged over the draws: [N]."""
        return torch.stack([relative_residual(rows, basis) for basis in self.bases]).mean(0)


def span_basis(columns: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """An orthonormal basis [n, r] of the span of columns [n, m], rounding left out (float64)."""
    left, sizes, _ = torch.linalg.svd(columns.double(), full_matrices=False)
    return left[:, sizes > tolerance * sizes[0]]


def relative_residual(rows: Tensor, basis: Tensor) -> Tensor:
    """||delta - P delta|| / ||delta|| of rows [N, n] for an orthonormal basis [n, r], in [0, 1]."""
    rows = rows.double()
    left = rows - (rows @ basis) @ basis.T
    return left.norm(dim=1) / rows.norm(dim=1).clamp_min(1e-12)


def own_span(dictionary: AttackDictionary, label: int, attack: int) -> Span:
    """The span of block (label, attack)."""
    columns = torch.arange(dictionary.size)[dictionary.block(label, attack)]
    return _span(dictionary.atoms.cpu(), [columns])


def shared_spans(dictionary: AttackDictionary, attack: int, seed: int) -> dict[str, Span]:
    """The spans of SPANS that all attacks of one type share, whatever their class."""
    atoms, few = dictionary.atoms.cpu(), dictionary.block_size
    kinds = torch.arange(dictionary.size) // few % len(dictionary.attacks)
    same, other = (kinds == attack).nonzero()[:, 0], (kinds != attack).nonzero()[:, 0]
    return {
        "attack_drawn": _span(atoms, _drawn(same, few, item_seed(seed, 2 * attack))),
        "others_drawn": _span(atoms, _drawn(other, few, item_seed(seed, 2 * attack + 1))),
        "attack": _span(atoms, [same]),
        "others": _span(atoms, [other]),
    }


def _span(atoms: Tensor, choices: Sequence[Tensor]) -> Span:
    return Span(tuple(span_basis(atoms[:, chosen]) for chosen in choices), len(choices[0]))


def _drawn(columns: Tensor, count: int, seed: int) -> list[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [columns[torch.randperm(len(columns), generator=draw)[:count]] for _ in range(DRAWS)]


def random_residuals(rows: Tensor, rank: int, seed: int) -> Tensor:
    """The residuals [N] of rows [N, n] on random subspaces of dimension `rank`, DRAWS' mean.

    About sqrt(1 - rank / n): what a random span leaves over.
    """
    draw = torch.Generator().manual_seed(seed)
    shape = (rows.shape[1], rank)
    bases = [
        torch.linalg.qr(torch.randn(shape, generator=draw, dtype=torch.float64))[0]
        for _ in range(DRAWS)
    ]
    return torch.stack([relative_residual(rows, basis) for basis in bases]).mean(0)


def measure_attack(
    dictionary: AttackDictionary, deltas: Tensor, labels: Tensor, attack: int, seed: int
) -> dict[str, Any]:
    """One attack's entry of the report; deltas [N, n], none of them zero, labels [N]."""
    shared = shared_spans(dictionary, attack, seed)
    residuals = {name: span.residuals(deltas) for name, span in shared.items()}
    random = {
        name: random_residuals(deltas, round(span.rank), seed) for name, span in shared.items()
    }
    columns = {name: span.columns for name, span in shared.items()}
    ranks = {name: torch.full((len(deltas),), span.rank) for name, span in shared.items()}
    own, blind, rank = (torch.zeros(len(deltas), dtype=torch.float64) for _ in range(3))
    for label in labels.unique().tolist():
        rows = labels == label
        span = own_span(dictionary, label, attack)
        own[rows], rank[rows] = span.residuals(deltas[rows]), span.rank
        blind[rows] = random_residuals(deltas[rows], round(span.rank), seed)
    residuals["own"], random["own"], ranks["own"] = own, blind, rank
    columns["own"] = dictionary.block_size
    nearer = residuals["attack_drawn"] < residuals["others_drawn"]
    return {
        "n": len(deltas),
        "norm": round(float(deltas.norm(dim=1).mean()), 4),
        "spans": {
            name: {
                "columns": columns[name],
                "rank": round(float(ranks[name].double().mean()), 1),
                **spread(residuals[name]),
                "random": spread(random[name]),
            }
            for name in SPANS
        },
        "nearer": share(int(nearer.sum()), len(nearer)),
    }


def spread(values: Tensor) -> dict[str, Any]:
    """{mean, quantiles by per cent}: how values [N] lie."""
    cuts = torch.quantile(values, torch.tensor(QUANTILES, dtype=values.dtype) / 100)
    return {
        "mean": round(float(values.mean()), 5),
        "quantiles": {
            str(cut): round(float(value), 5) for cut, value in zip(QUANTILES, cuts, strict=True)
        },
    }


def measure(bundle: Bundle, examples: int, seed: int, work: Path) -> dict[str, Any]:
    """The report: the paper's attacks on the bundle's first `examples`, which D_a never saw.

    {"dataset", "n", "seed", "source", "command", "pixels", "draws", "tolerance", "provenance",
    "files": checksums, "titles": span -> words, in the order to show, "classifiers":
    {"psi": {"title", "attacks": {"linf": ATTACK, ...}}}}, with ATTACK = {"n": attacks measured
    (an attack that changed nothing has no direction), "norm": mean ||delta||_2, "spans": {"own":
    SPAN, "attack_drawn", "others_drawn", "attack", "others"}, "nearer": share (statistics.share)
    of the deltas whose residual is smaller on drawn columns of its own attack than on as many of
    the others}, and SPAN = {"columns": columns that span it, "rank": its dimension, "mean",
    "quantiles": {"5" ... "95"}: of the relative residual in [0, 1], "random": {"mean",
    "quantiles"}: the same on random subspaces of that dimension}.
    work: folder where attacked images are kept. Raises SettingsError for more images than there
    are.
    """
    if examples > len(bundle.examples):
        raise SettingsError(
            f"{examples} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    dictionary = bundle.dictionary
    clean, labels = bundle.examples.images[:examples], bundle.examples.labels[:examples]
    attacks = {}
    for number, kind in enumerate(tqdm(dictionary.attacks, desc="assumption")):
        crafted = AttackCache(
            bundle, PAPER_ATTACKS[bundle.dataset][kind], seed, examples, work / "attacks"
        )
        crafted.fill()
        deltas = (crafted.read(range(examples)).cpu() - clean).flatten(1)
        moved = deltas.norm(dim=1) > 0
        attacks[kind] = measure_attack(dictionary, deltas[moved], labels[moved], number, seed)
    checksums = asset_checksums(bundle.dataset)
    return {
        "dataset": bundle.dataset,
        "n": examples,
        "seed": seed,
        "source": bundle.examples.source,
        "command": as_command(bundle.dataset, examples, seed),
        "pixels": dictionary.atoms.shape[0],
        "draws": DRAWS,
        "tolerance": TOLERANCE,
        "provenance": provenance(bundle.device),
        "files": {name: checksums[name] for name in FILES if name in checksums},
        "key": {
            **report_key(bundle.dataset, seed, bundle.device.type),
            "images": images_digest(bundle.examples, examples),
        },
        "titles": SPANS,
        "classifiers": {"psi": {"title": _psi_title(bundle.dataset), "attacks": attacks}},
    }


def _psi_title(dataset: str) -> str:
    network = "a Wide ResNet" if dataset == "cifar10" else "the classifier of Table 3"
    return f"ψ, {network}"


def report_key(dataset: str, seed: int, device: str) -> Key:
    """The key of a report, but for the content of its images (None here)."""
    attacks = {kind: asdict(settings) for kind, settings in PAPER_ATTACKS[dataset].items()}
    values = {"attacks": attacks, "seed": seed, "device": device}
    return result_key([code_digest(__name__)], values, None)


def as_command(dataset: str, examples: int, seed: int) -> str:
    """The command that repeats a measurement."""
    return f"python -m red_core assumption --dataset {dataset} --examples {examples} --seed {seed}"


def keep_report(report: dict[str, Any]) -> None:
    """Write a report into the assets as `assumption.json`."""
    keep(report["dataset"], ASSUMPTION, report, f"{report['command']} --keep")
