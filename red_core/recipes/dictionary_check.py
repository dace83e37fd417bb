"""Did the attacks in D_a attack? Measured on the stored file, so nothing is crafted again."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, check_attacks
from red_core.data.assets import read_manifest, read_tensors, record
from red_core.data.datasets import load_official
from red_core.recipes.common import RecipeContext
from red_core.recipes.dictionary import over_classes, spectral_norms
from red_core.run.bundle import load_bundle
from red_core.run.settings import item_seed

NAME = "dictionary.safetensors"


def check_dictionary(context: RecipeContext) -> None:
    """Write the shares of `AttackCheck` by attack, and the spectral norms, into D_a's entry."""
    entry = read_manifest(context.dataset)[NAME]
    provenance = {name: value for name, value in entry.items() if name not in ("sha256", "bytes")}
    measured = {**entry.get("measured", {}), **dictionary_figures(context)}
    record(context.dataset, NAME, **{**provenance, "measured": measured})


def dictionary_figures(context: RecipeContext) -> dict[str, Any]:
    """The figures of the stored D_a: `attacks`, `operator_norm_squared`, `block_norms_squared`."""
    bundle = load_bundle(context.dataset, context.device)
    dictionary, train = bundle.dictionary, load_official(context.dataset, "train")
    indices = read_tensors(context.dataset, NAME)["indices"].long()
    columns = (dictionary.atoms * dictionary.norms).cpu().T
    deltas = columns.reshape(len(indices), len(ATTACKS), dictionary.block_size, -1)
    shares: dict[str, list[dict[str, float]]] = {kind: [] for kind in ATTACKS}
    for c, chosen in enumerate(tqdm(indices, desc="attacks in D_a", unit="class")):
        images, labels = train.images[chosen], train.labels[chosen].to(context.device)
        seeds = [item_seed(context.seed, int(index)) for index in chosen]
        for a, kind in enumerate(ATTACKS):
            attacked = (images + deltas[c, a].view_as(images)).to(context.device)
            settings = PAPER_ATTACKS[context.dataset][kind]
            given = (images.to(context.device), attacked, labels, settings, seeds)
            shares[kind].append(check_attacks(bundle.psi, *given).shares())
    return {
        "attacks": {kind: over_classes(found) for kind, found in shares.items()},
        **spectral_norms(deltas, ATTACKS),
    }
