"""`recipe`: which parts run, in which order, on what."""

import os
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.data.datasets import CLASSES
from red_core.recipes import parts
from red_core.recipes.common import SCALES, RecipeContext


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, RecipeContext, str | None]]:
    """What would have been made: part, context, and the assets folder at that time."""
    calls: list[tuple[str, RecipeContext, str | None]] = []

    def load_part(dataset: str, name: str):
        return lambda context: calls.append((name, context, os.environ.get("RED_ASSETS")))

    monkeypatch.setattr(parts, "load_part", load_part)
    return calls


@pytest.mark.parametrize(
    ("dataset", "name"),
    [(dataset, name) for dataset in CLASSES for name in parts.parts_of(dataset)],
)
def test_every_part_is_there(dataset: str, name: str) -> None:
    assert callable(parts.load_part(dataset, name))


@pytest.mark.parametrize("dataset", CLASSES)
def test_all_parts_in_order(made, tmp_path: Path, capsys, dataset: str) -> None:
    assert main(["recipe", dataset, "--device", "cpu", "--work", str(tmp_path)]) == 0
    wanted = [name for name in parts.parts_of(dataset) if name not in parts.ON_REQUEST]
    assert [name for name, _, _ in made] == wanted
    assert made[0][1] == RecipeContext(dataset, "cpu", 0, tmp_path, "cpu")
    assert "part      classifier" in capsys.readouterr().out


def test_every_data_set_has_its_own_parts() -> None:
    assert parts.parts_of("mnist") == (*parts.parts_of("fashion"), "lessons")
    made = ("classifier", "generator", "dictionary", "diffusion", "examples")
    bundled = ("photographs", "photograph_stories")
    bests = ("type_classifier", "reader", "evidence")
    measuring = ("inversion", "fidelity", "purification", "dictionary_check")
    others = ("robust", "surrogate")
    assert set(parts.parts_of("cifar10")) == {*made, *bundled, *bests, *measuring, *others}
    assert parts.parts_of("cifar10")[:4] == made[:4]


@pytest.mark.parametrize(
    ("cuda", "words", "scale"),
    [
        (False, (), "cpu"),
        (True, (), "gpu"),
        (True, ("--device", "cpu"), "cpu"),
        (False, ("--scale", "gpu"), "gpu"),
        (True, ("--scale", "tiny"), "tiny"),
    ],
)
def test_the_scale_is_the_devices_unless_named(
    made, tmp_path: Path, monkeypatch, cuda: bool, words: tuple[str, ...], scale: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    only = ["recipe", "cifar10", "--only", "dictionary", "--work", str(tmp_path)]
    assert main([*only, *words]) == 0
    assert [context.scale for _, context, _ in made] == [scale]


def test_the_command_names_the_scale_where_it_matters(tmp_path: Path) -> None:
    colour = RecipeContext("cifar10", work=tmp_path, scale="gpu")
    assert "--only dictionary --scale gpu --seed 0" in colour.command("dictionary")
    assert "--scale" not in RecipeContext("mnist", work=tmp_path).command("dictionary")
    places = [RecipeContext("cifar10", work=tmp_path, scale=scale) for scale in SCALES]
    assert len({context.checkpoint("dictionary") for context in places}) == len(SCALES)


def test_some_parts_keep_the_order(made, tmp_path: Path) -> None:
    words = ["recipe", "mnist", "--only", "evidence,classifier", "--only", "examples"]
    assert main([*words, "--work", str(tmp_path)]) == 0
    assert [name for name, _, _ in made] == ["classifier", "examples", "evidence"]


def test_another_seed_has_its_own_checkpoints(made, tmp_path: Path) -> None:
    words = ["recipe", "mnist", "--only", "examples", "--work", str(tmp_path)]
    assert main([*words, "--seed", "3"]) == 0
    context = made[0][1]
    assert context.seed == 3
    assert context.work != tmp_path
    assert tmp_path in context.work.parents


def test_a_rehearsal_leaves_the_assets_alone(made, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RED_ASSETS", "the real ones")
    words = ["recipe", "mnist", "--only", "examples", "--scale", "tiny"]
    assert main([*words, "--work", str(tmp_path)]) == 0
    _, context, assets = made[0]
    assert context.tiny
    assert assets == str(tmp_path / "tiny-assets")
    assert os.environ["RED_ASSETS"] == "the real ones"


def test_a_failed_rehearsal_gives_the_assets_back(tmp_path: Path, monkeypatch) -> None:
    def fail(_: RecipeContext) -> None:
        raise OSError("disk full")

    monkeypatch.delenv("RED_ASSETS", raising=False)
    monkeypatch.setattr(parts, "load_part", lambda dataset, name: fail)
    assert main(["recipe", "mnist", "--scale", "tiny", "--work", str(tmp_path)]) == 2
    assert "RED_ASSETS" not in os.environ
