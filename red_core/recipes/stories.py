"""Recorded runs that ship: an inversion that begins in a wrong class and ends in the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from tqdm import tqdm

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import observe
from red_core.algorithm.verdict import judge
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import assets_root, read_manifest, record
from red_core.data.atomic import write_atomically
from red_core.data.datasets import TITLES, a
from red_core.recipes.common import RecipeContext
from red_core.recording.run_recorder import record_run
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.experiment import attack_images, begin_run, readers_for, start_seeds
from red_core.run.settings import RunSettings, item_seed

# Random starts alone: the encoder's guess begins in the right class nearly always.
SOLVER: tuple[tuple[str, Any], ...] = (
    *(("carry", 2), ("encoder_start", False), ("halve_at", (60,)), ("restarts", 2)),
)
IMAGES = 60  # bundled examples that are tried, in order
NORMS = {"linf": "an ℓ∞", "l2": "an ℓ2", "l1": "an ℓ1"}
MOST_BYTES = 400_000
PARTS = (
    *("classifier.safetensors", "generator.safetensors", "dictionary.safetensors"),
    *("reader.safetensors", "evidence.safetensors", "type-classifier.safetensors"),
)


def make_stories(context: RecipeContext) -> None:
    """Find one run for every attack, each of another class, and record it.

    Such a run has a fooled psi, a start of another class than the image's, and a verdict that is
    right in both answers; of several, the surest. Raises RuntimeError where an attack has none.
    """
    bundle = load_bundle(context.dataset, context.device)
    sums = {name: read_manifest(context.dataset)[name]["sha256"] for name in PARTS}
    used: set[int] = set()
    for attack in tqdm(ATTACKS, desc="stories"):
        index = _find(bundle, context, attack, used)
        settings = _settings(context, attack, index)
        label = int(bundle.examples.labels[index])
        used.add(label)
        blob = record_run(bundle, settings)
        if len(blob) > MOST_BYTES:
            raise RuntimeError(f"the {attack} story takes {len(blob)} bytes, above {MOST_BYTES}")
        name = f"story-{attack}.red"
        write_atomically(assets_root() / context.dataset / name, blob)
        record(
            context.dataset,
            name,
            command=context.command("stories"),
            seed=context.seed,
            device=context.device,
            title=f"{TITLES[context.dataset]}: {a(bundle.class_names[label])} hidden by "
            f"{NORMS[attack]} attack",
            settings=settings.as_query(),
            parts=sums,
            licence="MIT",
        )


def _settings(context: RecipeContext, attack: str, index: int) -> RunSettings:
    return RunSettings(
        context.dataset, index=index, attack=attack, solver=SOLVER, seed=context.seed
    )


def _find(bundle: Bundle, context: RecipeContext, attack: str, used: set[int]) -> int:
    """The example whose run is the best story of an attack."""
    count = 4 if context.tiny else IMAGES
    settings = _settings(context, attack, 0)
    options = settings.solver_options()
    seeds = [item_seed(context.seed, index) for index in range(count)]
    images, labels = bundle.examples.images[:count], bundle.examples.labels[:count]
    made = attack_images(bundle, images, labels, settings.attack_settings(), seeds)
    runs = [start_seeds(replace(settings, index=index))[0] for index in range(count)]
    problem, state = begin_run(bundle, made.attacked, options, runs)
    with torch.no_grad():
        began = bundle.psi(observe(problem, state, options).image).argmax(1).cpu()
    last = run_to_end(problem, state, options)
    verdict = judge(problem, last, readers_for(bundle, settings.preset))
    right = (verdict.signal_label.cpu() == labels) & (verdict.psi_label.cpu() == labels)
    named = verdict.attack_label.cpu() == ATTACKS.index(attack)
    fooled = verdict.adversarial_label.cpu() != labels
    fresh = torch.tensor([int(label) not in used for label in labels])
    sure = verdict.signal_margin.cpu() + verdict.attack_margin.cpu()
    sure[~(right & named & fooled & fresh & (began != labels))] = -1
    if float(sure.max()) < 0:
        raise RuntimeError(f"none of {count} examples makes a story of {attack}")
    return int(sure.argmax())
