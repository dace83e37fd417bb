"""How the files of an assets folder are made: every part, in the order in which they build."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from red_core.recipes.common import RecipeContext

# Each needs the ones before it. Imported when it runs: `examples` needs a development package.
_GREY = {
    "classifier": "red_core.recipes.classifier:train_classifier",
    "generator": "red_core.recipes.generator:train_generator",
    "paper_generator": "red_core.recipes.paper_generator:train_paper_generator",
    "examples": "red_core.recipes.examples:bundle_examples",
    "example_attacks": "red_core.recipes.example_attacks:measure_example_attacks",
    "dictionary": "red_core.recipes.dictionary:make_dictionary",
    "dictionary_check": "red_core.recipes.dictionary_check:check_dictionary",
    "inversion": "red_core.recipes.inversion:measure_inversion",
    "type_classifier": "red_core.recipes.type_classifier:train_type_classifier",
    "encoder": "red_core.recipes.encoder:train_encoder",
    "reader": "red_core.recipes.reader:train_reader",
    "evidence": "red_core.recipes.evidence:train_evidence",
    "robust": "red_core.recipes.robust:train_robust",
    "norm_ratio": "red_core.recipes.norm_ratio:fit_norm_ratio",
    "surrogate": "red_core.recipes.surrogate:train_surrogate",
    "signal_dictionary": "red_core.recipes.signal_dictionary:make_signal_dictionary",
    "stories": "red_core.recipes.stories:make_stories",
}
# Inversion, fidelity, purification and dictionary_check only measure: what they find joins the
# entry of what they measure.
_CIFAR10 = {
    "classifier": "red_core.recipes.cifar10.classifier:train_classifier",
    "generator": "red_core.recipes.cifar10.generator:train_generator",
    "dictionary": "red_core.recipes.cifar10.dictionary:make_dictionary",
    "diffusion": "red_core.recipes.cifar10.diffusion:train_diffusion",
    "examples": "red_core.recipes.cifar10.examples:draw_examples",
    "photographs": "red_core.recipes.cifar10.photographs:bundle_photographs",
    "type_classifier": "red_core.recipes.cifar10.type_classifier:train_type_classifier",
    "reader": "red_core.recipes.cifar10.reader:train_reader",
    "evidence": "red_core.recipes.cifar10.evidence:train_evidence",
    "inversion": "red_core.recipes.cifar10.inversion:measure_inversion",
    "fidelity": "red_core.recipes.cifar10.fidelity:measure_fidelity",
    "purification": "red_core.recipes.cifar10.purification:measure_purification",
    "robust": "red_core.recipes.cifar10.robust:train_robust",
    "surrogate": "red_core.recipes.cifar10.classifier:train_surrogate",
    "dictionary_check": "red_core.recipes.dictionary_check:check_dictionary",
    "photograph_stories": "red_core.recipes.stories:make_stories",
}
ON_REQUEST = ("photographs", "photograph_stories")
# The page Learn is about digits.
_MNIST = {**_GREY, "lessons": "red_core.recipes.stories:make_lessons"}
_PARTS = {"mnist": _MNIST, "fashion": _GREY, "cifar10": _CIFAR10}


def parts_of(dataset: str) -> tuple[str, ...]:
    """The parts of one data set, in the order in which they build on each other."""
    return tuple(_PARTS[dataset])


def load_part(dataset: str, name: str) -> Callable[[RecipeContext], None]:
    """The function that makes one part of a data set; KeyError for an unknown name."""
    module, _, function = _PARTS[dataset][name].partition(":")
    part: Callable[[RecipeContext], None] = getattr(importlib.import_module(module), function)
    return part


def make(
    context: RecipeContext,
    only: Sequence[str] = (),
    announce: Callable[[str], object] = lambda part: None,
) -> None:
    """Make the parts `only`, always in the order of `parts_of`.

    Where it is empty, all but those of ON_REQUEST, which need files that no package index has.
    A stopped part goes on from its checkpoint in the work folder. Another seed has checkpoints
    of its own; a trial (`context.tiny`) writes its assets there too, never to `assets/`.
    """
    if context.seed:
        context = replace(context, work=context.work / f"seed-{context.seed}")
    with _trial_assets(context.work / "tiny-assets" if context.tiny else None):
        for name in parts_of(context.dataset):
            if name in only or not (only or name in ON_REQUEST):
                announce(name)
                load_part(context.dataset, name)(context)


@contextmanager
def _trial_assets(folder: Path | None) -> Iterator[None]:
    """Point RED_ASSETS at another folder for a while; None leaves it."""
    before = os.environ.get("RED_ASSETS")
    if folder is not None:
        os.environ["RED_ASSETS"] = str(folder)
    try:
        yield
    finally:
        if folder is not None:
            del os.environ["RED_ASSETS"]
            if before is not None:
                os.environ["RED_ASSETS"] = before
