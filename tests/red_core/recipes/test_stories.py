"""The recorded runs that ship: what the recipe asks for is what they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import Readers
from red_core.attacks.pgd import ATTACKS, AttackSettings
from red_core.data.assets import checked_bytes, read_manifest
from red_core.data.datasets import CLASSES, ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.recipes import stories
from red_core.recipes.common import RecipeContext
from red_core.recording.record_file import read_run
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings


@pytest.mark.parametrize("dataset", ["mnist", "fashion", "cifar10"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_recipes_settings_are_those_of_the_bundled_runs(dataset: str, attack: str) -> None:
    name = f"story-{attack}.red"
    entry = read_manifest(dataset)[name]
    run = read_run(checked_bytes(dataset, name))
    found = RunSettings.from_query(entry["settings"])
    assert stories._settings(RecipeContext(dataset), attack, found.index) == found
    assert run.header["settings"] == entry["settings"]
    assert set(entry["parts"]) == set(stories.files_of(dataset))
    assert CLASSES[dataset][run.header["label"]] in entry["title"]


@pytest.mark.parametrize("name", ["alone", "both", *(f"lambda-{key}" for key in stories.LAMBDAS)])
def test_the_lessons_runs_differ_in_what_their_recipe_says(name: str) -> None:
    entry = read_manifest("mnist")[f"lesson-{name}.red"]
    assert entry["bytes"] < stories.MOST_LESSON_BYTES
    assert set(entry["parts"]) == set(stories.PARTS)
    found = RunSettings.from_query(entry["settings"])
    solver = stories.ALONE if name == "alone" else stories.BOTH
    if name.startswith("lambda-"):
        solver = (*solver, ("lambda_fraction", stories.LAMBDAS[name.removeprefix("lambda-")]))
    assert stories._settings(RecipeContext("mnist"), "linf", found.index, solver) == found
    both = RunSettings.from_query(read_manifest("mnist")["lesson-both.red"]["settings"])
    assert both.index == found.index, "all of one x'"


@pytest.fixture
def toy(monkeypatch) -> Bundle:
    """Networks that know nothing, and short attacks and runs."""
    short = {kind: AttackSettings(kind, 0.1, 0.05, 2) for kind in ATTACKS}
    monkeypatch.setattr("red_core.run.settings.PAPER_ATTACKS", {"mnist": short})
    monkeypatch.setattr(stories, "SOLVER", (*stories.SOLVER, ("start_steps", 2), ("steps", 61)))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        deltas = torch.randn(10, 3, 6, 784) * 0.1
        return Bundle(
            "mnist",
            CLASSES["mnist"],
            DCGANGenerator(latent=8, width=4).eval().requires_grad_(False),
            None,
            Readers(Table3CNN().eval().requires_grad_(False)),
            AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1")),
            ImageSet(torch.rand(4, 1, 28, 28), torch.arange(4), "toy examples"),
            torch.device("cpu"),
        )


def test_where_no_run_makes_a_story_nothing_is_written(toy: Bundle) -> None:
    context = RecipeContext("mnist", scale="tiny")
    with pytest.raises(RuntimeError, match="none of 4 examples makes a story of l2"):
        stories._find(toy, context, "l2", set())


@pytest.fixture
def two_answers(toy: Bundle, monkeypatch) -> Bundle:
    """The toy with a judge whose answers are set by hand: G alone reads one class too many."""
    real = stories.judge
    monkeypatch.setattr(stories, "ALONE", (*stories.ALONE, ("start_steps", 2)))
    monkeypatch.setattr(stories, "BOTH", (*stories.BOTH, ("start_steps", 1), ("steps", 41)))

    def judged(problem, last, readers):
        verdict = real(problem, last, readers)
        labels = torch.arange(4)
        alone = last.k < 10
        read = torch.tensor([0, 2, 3, 3]) if alone else torch.tensor([0, 1, 2, 9])
        return replace(
            verdict,
            signal_label=read,
            psi_label=read,
            attack_label=torch.full((4,), ATTACKS.index("linf")),
            adversarial_label=(labels + 1) % 10,
            signal_margin=torch.tensor([0.9, 0.7, 0.8, 0.9]),
            attack_margin=torch.zeros(4),
        )

    monkeypatch.setattr(stories, "judge", judged)
    return toy


def test_the_pair_is_wrong_with_g_alone_and_right_with_the_code(two_answers: Bundle) -> None:
    assert stories._find_pair(two_answers, RecipeContext("mnist", scale="tiny")) == 2


def test_the_strong_attack_is_one_whose_verdict_is_wrong(two_answers: Bundle) -> None:
    context = RecipeContext("mnist", scale="tiny")
    assert stories._find_strong(two_answers, context, 3) == (stories.STRONGER[0], 3)
    assert stories._find_strong(two_answers, context, 0) == (stories.STRONGER[-1], 3)


def test_where_g_alone_is_never_fooled_there_is_no_lesson(toy: Bundle, monkeypatch) -> None:
    real = stories.judge

    def judged(problem, last, readers):
        right = torch.arange(4)
        return replace(real(problem, last, readers), signal_label=right, psi_label=right)

    monkeypatch.setattr(stories, "judge", judged)
    monkeypatch.setattr(stories, "ALONE", (*stories.ALONE, ("start_steps", 2)))
    monkeypatch.setattr(stories, "BOTH", (*stories.BOTH, ("start_steps", 1), ("steps", 41)))
    context = RecipeContext("mnist", scale="tiny")
    with pytest.raises(RuntimeError, match="G alone fools itself on none of 4 examples"):
        stories._find_pair(toy, context)
    with pytest.raises(RuntimeError, match="no attack up to eps"):
        stories._find_strong(toy, context, 0)


def test_a_story_begins_wrong_and_ends_right_in_both_answers(toy: Bundle, monkeypatch) -> None:
    """With answers set by hand: the image whose start is wrong, and whose end is right."""
    real = stories.judge

    def judged(problem, last, readers):
        verdict = real(problem, last, readers)
        right = torch.arange(4)
        return replace(
            verdict,
            signal_label=right,
            psi_label=right,
            attack_label=torch.full((4,), ATTACKS.index("l1")),
            adversarial_label=(right + 1) % 10,
            signal_margin=torch.tensor([0.9, 0.8, 0.7, 0.6]),
            attack_margin=torch.zeros(4),
        )

    monkeypatch.setattr(stories, "judge", judged)
    context = RecipeContext("mnist", scale="tiny")
    began = int(toy.psi(toy.generator(torch.zeros(1, 8))).argmax())
    wanted = [label for label in range(4) if label != began]
    found = stories._find(toy, context, "l1", set())
    assert found in wanted
    assert stories._find(toy, context, "l1", {found}) != found, "each story has another class"
