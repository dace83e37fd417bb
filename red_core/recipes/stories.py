"""Recorded runs that ship: those the main page begins with, and those of the page Learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import observe
from red_core.algorithm.verdict import Verdict, judge
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import assets_root, read_manifest, record
from red_core.data.atomic import write_atomically
from red_core.data.datasets import PHOTOGRAPHED, TITLES, a
from red_core.recipes.common import RecipeContext
from red_core.recording.run_recorder import record_run
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.experiment import (
    AttackedBatch,
    attack_images,
    begin_run,
    readers_for,
    start_seeds,
)
from red_core.run.photographs import PHOTOGRAPHS, with_photographs
from red_core.run.settings import RunSettings, item_seed

Solver = tuple[tuple[str, Any], ...]

# Random starts alone: the encoder's guess begins in the right class nearly always. Not so with
# CIFAR-10's, whose stories are runs of `best` as it is.
SOLVER: Solver = (*(("carry", 2), ("encoder_start", False), ("halve_at", (60,)), ("restarts", 2)),)
IMAGES = 60  # bundled examples that are tried, in order
NORMS = {"linf": "an ℓ∞", "l2": "an ℓ2", "l1": "an ℓ1"}
MOST_BYTES = 400_000
PARTS = (
    *("classifier.safetensors", "generator.safetensors", "dictionary.safetensors"),
    *("reader.safetensors", "evidence.safetensors", "type-classifier.safetensors"),
)
PHOTOGRAPH_PARTS = (*("encoder.safetensors", "diffusion.safetensors", PHOTOGRAPHS),)

# The lessons' runs begin at the same random starts and differ in one thing each. `ALONE` has one
# step of the alternation, the fewest that a run can have, at a lambda that keeps the code at zero;
# `BOTH` is shorter than a story.
_STARTS: Solver = (("encoder_start", False), ("restarts", 2))
ALONE: Solver = (
    *(*_STARTS, ("carry", 1), ("halve_at", ()), ("start_steps", 120), ("steps", 1)),
    ("lambda_fraction", 2.0),
)
BOTH: Solver = (*_STARTS, ("carry", 2), ("halve_at", (40,)), ("steps", 80))
LAMBDAS = {"low": 0.002, "high": 0.1, "most": 1.0}  # of lambda_max, beside BOTH's own
STRONGER = (0.4, 0.5, 0.6)  # eps of an l-inf attack that the method does not undo
MOST_LESSON_BYTES = 150_000


def make_stories(context: RecipeContext) -> None:
    """Find one run for every attack, each of another class, and record it.

    Such a run has a fooled psi, a start of another class than the image's, and a verdict that is
    right in both answers; of several, the surest. CIFAR-10's are of the bundled photographs. Raises
    RuntimeError where an attack has none.
    """
    bundle = _bundle(context)
    used: set[int] = set()
    for attack in tqdm(ATTACKS, desc="stories"):
        index = _find(bundle, context, attack, used)
        label = int(bundle.examples.labels[index])
        used.add(label)
        title = (
            f"{TITLES[context.dataset]}: {a(bundle.class_names[label])} hidden by "
            f"{NORMS[attack]} attack"
        )
        settings = _settings(context, attack, index)
        part = "photograph_stories" if context.dataset in PHOTOGRAPHED else "stories"
        _record(context, bundle, f"story-{attack}.red", settings, title, part, MOST_BYTES)


def _bundle(context: RecipeContext) -> Bundle:
    """The data set's parts, with the images that the stories are of."""
    bundle = load_bundle(context.dataset, context.device)
    return with_photographs(bundle) if context.dataset in PHOTOGRAPHED else bundle


def files_of(dataset: str) -> tuple[str, ...]:
    """The trained files, and those of images, that a recorded run hangs on."""
    return (*PARTS, *PHOTOGRAPH_PARTS) if dataset in PHOTOGRAPHED else PARTS


def make_lessons(context: RecipeContext) -> None:
    """Record the runs of the page Learn, all under l-inf attacks.

    From one x': G alone ends in a wrong class (lesson-alone) and G with the attack's code in the
    right one (lesson-both); the same at other lambda (lesson-lambda-low, -high, -most). And a
    stronger attack whose verdict is wrong (lesson-strong). Raises RuntimeError where no image
    shows this.
    """
    bundle = load_bundle(context.dataset, context.device)
    index = _find_pair(bundle, context)
    eps, strong = _find_strong(bundle, context, index)
    runs = {
        "alone": (_settings(context, "linf", index, ALONE), "G alone ends in a wrong class"),
        "both": (_settings(context, "linf", index, BOTH), "G and the attack's code, right"),
        **{
            f"lambda-{name}": (
                _settings(context, "linf", index, (*BOTH, ("lambda_fraction", share))),
                f"λ = {share:g} λ_max",
            )
            for name, share in LAMBDAS.items()
        },
        "strong": (
            _settings(context, "linf", strong, BOTH, eps),
            f"ε = {eps:g}, which the method does not undo",
        ),
    }
    for name, (settings, title) in tqdm(runs.items(), desc="lessons"):
        file = f"lesson-{name}.red"
        _record(context, bundle, file, settings, title, "lessons", MOST_LESSON_BYTES)


def _record(
    context: RecipeContext,
    bundle: Bundle,
    name: str,
    settings: RunSettings,
    title: str,
    part: str,
    most: int,
) -> None:
    """Write the recorded run of `settings` and its manifest entry; RuntimeError above `most`."""
    blob = record_run(bundle, settings)
    if len(blob) > most:
        raise RuntimeError(f"{name} takes {len(blob)} bytes, above {most}")
    write_atomically(assets_root() / context.dataset / name, blob)
    manifest = read_manifest(context.dataset)
    record(
        context.dataset,
        name,
        command=context.command(part),
        seed=context.seed,
        device=context.device,
        title=title,
        settings=settings.as_query(),
        parts={file: manifest[file]["sha256"] for file in files_of(context.dataset)},
        **_licence_and_scale(context, manifest),
    )


def _licence_and_scale(context: RecipeContext, manifest: dict[str, Any]) -> dict[str, Any]:
    """The licence of the pictures in a record, and where parts have one, the recipe's scale."""
    if context.dataset not in PHOTOGRAPHED:
        return {"licence": "MIT"}
    return {"licence": manifest[PHOTOGRAPHS]["licence"], "scale": context.scale}


def _settings(
    context: RecipeContext,
    attack: str,
    index: int,
    solver: Solver | None = None,
    eps: float | None = None,
) -> RunSettings:
    photographs = context.dataset in PHOTOGRAPHED
    if solver is None:
        solver = () if photographs else SOLVER
    return RunSettings(
        context.dataset,
        source="photograph" if photographs else "example",
        index=index,
        attack=attack,
        eps=eps,
        solver=solver,
        seed=context.seed,
    )


def _find(bundle: Bundle, context: RecipeContext, attack: str, used: set[int]) -> int:
    """The example whose run is the best story of an attack."""
    settings = _settings(context, attack, 0)
    made, labels = _attacked(bundle, context, settings)
    began, verdict = _solved(bundle, made.attacked, settings)
    right = _right(verdict, labels, attack)
    fresh = torch.tensor([int(label) not in used for label in labels])
    sure = verdict.signal_margin.cpu() + verdict.attack_margin.cpu()
    sure[~(right & fresh & (began != labels))] = -1
    if float(sure.max()) < 0:
        raise RuntimeError(f"none of {len(labels)} examples makes a story of {attack}")
    return int(sure.argmax())


def _find_pair(bundle: Bundle, context: RecipeContext) -> int:
    """The example that G alone gets wrong, for psi and the reader, and the method surest right."""
    both, alone = (_settings(context, "linf", 0, solver) for solver in (BOTH, ALONE))
    made, labels = _attacked(bundle, context, both)
    _, verdict = _solved(bundle, made.attacked, both)
    right = _right(verdict, labels, "linf")
    _, verdict_alone = _solved(bundle, made.attacked, alone)
    wrong = (verdict_alone.psi_label.cpu() != labels) & (verdict_alone.signal_label.cpu() != labels)
    sure = verdict.signal_margin.cpu() + verdict.attack_margin.cpu()
    sure[~(right & wrong)] = -1
    if float(sure.max()) < 0:
        raise RuntimeError(f"G alone fools itself on none of {len(labels)} examples")
    return int(sure.argmax())


def _find_strong(bundle: Bundle, context: RecipeContext, index: int) -> tuple[float, int]:
    """The least eps of STRONGER at which a verdict is wrong, on this example where it can be."""
    for eps in STRONGER:
        settings = _settings(context, "linf", 0, BOTH, eps)
        made, labels = _attacked(bundle, context, settings)
        _, verdict = _solved(bundle, made.attacked, settings)
        wrong = (verdict.psi_label.cpu() != labels) & (verdict.signal_label.cpu() != labels)
        wrong &= verdict.adversarial_label.cpu() != labels
        if bool(wrong[index]):
            return eps, index
        if eps == STRONGER[-1] and bool(wrong.any()):
            return eps, int(wrong.int().argmax())
    raise RuntimeError(f"no attack up to eps {STRONGER[-1]} is too strong for the method")


def _attacked(
    bundle: Bundle, context: RecipeContext, settings: RunSettings
) -> tuple[AttackedBatch, Tensor]:
    """The first examples under the attack of `settings`, and their labels."""
    count = min(4 if context.tiny else IMAGES, len(bundle.examples))
    seeds = [item_seed(context.seed, index) for index in range(count)]
    images, labels = bundle.examples.images[:count], bundle.examples.labels[:count]
    return attack_images(bundle, images, labels, settings.attack_settings(), seeds), labels


def _solved(bundle: Bundle, attacked: Tensor, settings: RunSettings) -> tuple[Tensor, Verdict]:
    """What psi reads in every run's first G(z), and the verdicts; a run of `settings` for each."""
    options = settings.solver_options()
    runs = [start_seeds(replace(settings, index=index))[0] for index in range(len(attacked))]
    problem, state = begin_run(bundle, attacked, options, runs)
    with torch.no_grad():
        began = bundle.psi(observe(problem, state, options).image).argmax(1).cpu()
    last = run_to_end(problem, state, options)
    return began, judge(problem, last, readers_for(bundle, settings.preset))


def _right(verdict: Verdict, labels: Tensor, attack: str) -> Tensor:
    """Where psi was fooled, and image and attack are recovered."""
    right = (verdict.signal_label.cpu() == labels) & (verdict.psi_label.cpu() == labels)
    named = verdict.attack_label.cpu() == ATTACKS.index(attack)
    return right & named & (verdict.adversarial_label.cpu() != labels)
