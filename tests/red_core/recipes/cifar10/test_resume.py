"""A recipe that is stopped, or killed outright, ends with the very bytes of one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from red_core.data.assets import assets_root, read_manifest
from red_core.recipes.cifar10 import dictionary, inversion, training
from red_core.recipes.cifar10.classifier import ClassifierTrainer
from red_core.recipes.cifar10.diffusion import DiffusionTrainer
from red_core.recipes.cifar10.generator import GeneratorTrainer
from red_core.recipes.cifar10.robust import RobustTrainer
from red_core.recipes.common import RecipeContext, load_checkpoint
from red_core.recipes.parts import make

TRAINERS = {
    "classifier": ClassifierTrainer,
    "generator": GeneratorTrainer,
    "diffusion": DiffusionTrainer,
    "robust": RobustTrainer,
    "surrogate": ClassifierTrainer,
}


class Stopped(Exception):
    """Raised in the middle of a recipe."""


def run(work: Path, *parts: str, seed: int = 0) -> None:
    make(RecipeContext("cifar10", work=work, scale="tiny", seed=seed), parts)


def content(work: Path, name: str) -> bytes:
    return (work / "tiny-assets" / "cifar10" / f"{name}.safetensors").read_bytes()


def stop_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, calls: int) -> list[int]:
    """Let `owner.name` raise at call number `calls`; the list of calls so far."""
    real: Callable[..., Any] = getattr(owner, name)
    seen: list[int] = []

    def stopping(*args: Any, **kwargs: Any) -> Any:
        if len(seen) == calls:
            raise Stopped
        seen.append(len(seen))
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, stopping)
    return seen


@pytest.fixture
def work(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of checkpoints; every step is kept."""
    monkeypatch.setattr(training.train, "__defaults__", (0.0,))
    return tmp_path / "stopped"


@pytest.mark.parametrize("part", TRAINERS)
def test_a_stopped_training(work: Path, tmp_path: Path, monkeypatch, part: str) -> None:
    before = {
        "generator": ("classifier",),
        "diffusion": ("classifier", "dictionary"),
        "robust": ("classifier",),
    }.get(part, ())
    run(tmp_path / "whole", *before, part)
    if before:
        run(work, *before)
    with monkeypatch.context() as patch:
        seen = stop_after(patch, TRAINERS[part], "step", 3)
        with pytest.raises(Stopped):
            run(work, part)
        assert len(seen) == 3
    kept = load_checkpoint(RecipeContext("cifar10", work=work, scale="tiny").checkpoint(part))
    assert kept is not None
    assert kept["step"] == 3
    with monkeypatch.context() as patch:
        seen = stop_after(patch, TRAINERS[part], "step", 100)
        run(work, part)
        assert len(seen) == 5  # of 8
    name = {"robust": "robust-linf"}.get(part, part)
    assert content(work, name) == content(tmp_path / "whole", name)


def test_a_stopped_dictionary(work: Path, tmp_path: Path, monkeypatch) -> None:
    run(tmp_path / "whole", "classifier", "dictionary")
    run(work, "classifier")
    with monkeypatch.context() as patch:
        stop_after(patch, dictionary, "craft", 4)
        with pytest.raises(Stopped):
            run(work, "dictionary")
    with monkeypatch.context() as patch:
        seen = stop_after(patch, dictionary, "craft", 100)
        run(work, "dictionary")
        assert len(seen) == 2  # of 6
    assert content(work, "dictionary") == content(tmp_path / "whole", "dictionary")


def test_a_dictionary_of_another_psi_begins_anew(work: Path, tmp_path: Path, monkeypatch) -> None:
    run(work, "classifier")
    with monkeypatch.context() as patch:
        stop_after(patch, dictionary, "craft", 4)
        with pytest.raises(Stopped):
            run(work, "dictionary")
    # psi is trained again, from another seed; the checkpoint holds attacks on the old one.
    (work / "cifar10" / "classifier-tiny.pt").unlink()
    with monkeypatch.context() as patch:
        patch.setattr("red_core.recipes.parts.replace", lambda context, **_: context)
        run(work, "classifier", seed=5)
    with monkeypatch.context() as patch:
        seen = stop_after(patch, dictionary, "craft", 100)
        run(work, "dictionary")
        assert len(seen) == 6


def test_a_stopped_measurement(work: Path, tmp_path: Path, monkeypatch) -> None:
    found = []
    for folder, stops in ((tmp_path / "whole", False), (work, True)):
        run(folder, "classifier", "generator")
        if stops:
            with monkeypatch.context() as patch:
                stop_after(patch, inversion, "invert", 6)
                with pytest.raises(Stopped):
                    run(folder, "inversion")
        run(folder, "inversion")
        with monkeypatch.context() as patch:
            patch.setenv("RED_ASSETS", str(folder / "tiny-assets"))
            entry = read_manifest("cifar10")["generator.safetensors"]["measured"]["inversion"]
        timed = [entry, *entry["by_steps"].values()]
        for figures in timed:
            del figures["seconds_an_image"]
        found.append(entry)
    assert found[0] == found[1]


# Runs the recipe, killed at step 5 of 8: between two checkpoints, or with one half written.
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from red_core.cli import main
from red_core.recipes.cifar10 import training
from red_core.recipes.cifar10.diffusion import DiffusionTrainer
from tests.red_core.recipes.cifar10 import toy_data

toy_data.accept(Path(os.environ["RED_DATA"]))
training.train.__defaults__ = (0.0,)
moment, work = sys.argv[1:]
step, save = DiffusionTrainer.step, torch.save
now = 0

def killed_step(self, number):
    global now
    now = number
    if moment == "step" and number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, number)

def killed_save(state, path):
    save(state, path)
    if moment == "save" and now == 5:
        os.truncate(path, os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

DiffusionTrainer.step, torch.save = killed_step, killed_save
words = ["recipe", "cifar10", "--scale", "tiny", "--device", "cpu", "--work", work]
sys.exit(main([*words, "--only", "classifier,dictionary,diffusion"]))
"""


def process(moment: str, work: Path) -> int:
    """The exit status of the recipe in a process of its own."""
    words = [sys.executable, "-c", KILLED, moment, str(work)]
    return subprocess.run(words, check=False, capture_output=True, timeout=250).returncode


@pytest.mark.parametrize("moment", ["step", "save"])
def test_a_killed_process(toy_cifar10: Path, tmp_path: Path, moment: str) -> None:
    work, whole = tmp_path / "killed", tmp_path / "whole"
    assert process(moment, work) == -signal.SIGKILL
    assert not (work / "tiny-assets" / "cifar10" / "diffusion.safetensors").exists()
    kept = load_checkpoint(work / "cifar10" / "diffusion-tiny.pt")
    assert kept is not None
    assert kept["step"] == 5
    assert process("never", work) == 0
    assert process("never", whole) == 0
    assert content(work, "diffusion") == content(whole, "diffusion")
    assert not assets_root().exists()
