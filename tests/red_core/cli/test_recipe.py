"""`recipe`: which parts run, in which order, on what."""

import os
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.recipes import parts
from red_core.recipes.common import RecipeContext


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, RecipeContext, str | None]]:
    """What would have been made: part, context, and the assets folder at that time."""
    calls: list[tuple[str, RecipeContext, str | None]] = []

    def load_part(name: str):
        return lambda context: calls.append((name, context, os.environ.get("RED_ASSETS")))

    monkeypatch.setattr(parts, "load_part", load_part)
    return calls


@pytest.mark.parametrize("name", parts.PARTS)
def test_every_part_is_there(name: str) -> None:
    assert callable(parts.load_part(name))


def test_all_parts_in_order(made, tmp_path: Path, capsys) -> None:
    assert main(["recipe", "mnist", "--device", "cpu", "--work", str(tmp_path)]) == 0
    assert [name for name, _, _ in made] == list(parts.PARTS)
    assert made[0][1] == RecipeContext("mnist", "cpu", 0, tmp_path, False)
    assert "part      classifier" in capsys.readouterr().out


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
    words = ["recipe", "mnist", "--only", "examples", "--tiny", "--work", str(tmp_path)]
    assert main(words) == 0
    _, context, assets = made[0]
    assert context.tiny
    assert assets == str(tmp_path / "tiny-assets")
    assert os.environ["RED_ASSETS"] == "the real ones"


def test_a_failed_rehearsal_gives_the_assets_back(tmp_path: Path, monkeypatch) -> None:
    def fail(_: RecipeContext) -> None:
        raise OSError("disk full")

    monkeypatch.delenv("RED_ASSETS", raising=False)
    monkeypatch.setattr(parts, "load_part", lambda name: fail)
    assert main(["recipe", "mnist", "--tiny", "--work", str(tmp_path)]) == 2
    assert "RED_ASSETS" not in os.environ
