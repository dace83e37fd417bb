"""A folder of pictures, a classifier and a generator of somebody's own, end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from red_core.api import craft, load, undo
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings
from red_core.cli import main
from red_core.data.datasets import CLASSES, DATASETS
from red_core.data.image_folder import read_folder
from red_core.data.own_datasets import PICTURES, opened
from red_core.recipes.project import ProjectRequest, make_project
from red_core.run.project import ProjectError, attacks_on, load_project
from red_core.run.settings import RunSettings
from tests.toy_projects import write_pictures

SIDE, COUNT = 12, 3
MODULE = f"""
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear({3 * SIDE * SIDE}, {COUNT}))
"""
GENERATOR = f"""
import torch
from torch import nn

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.images = nn.Parameter(torch.zeros(30, {3 * SIDE * SIDE}))

    def forward(self, z):
        return (z.softmax(1) @ self.images).view(-1, 3, {SIDE}, {SIDE})

def build():
    return G()
"""


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectRequest:
    read_folder.cache_clear()
    folder = write_pictures(tmp_path / "bars", classes=COUNT, side=SIDE, colour=True)
    train = read_folder(folder).parts["train"]
    bars = torch.zeros(COUNT, 3, SIDE, SIDE)  # psi: how bright the bar of each class is
    for label in range(COUNT):
        bars[label, :, :, label * SIDE // COUNT] = 20 / (3 * SIDE)
    network = {"1.weight": bars.flatten(1).contiguous(), "1.bias": torch.zeros(COUNT)}
    for name, text in (("net", MODULE), ("g", GENERATOR)):
        (tmp_path / f"{name}.py").write_text(text)
    save_file(network, tmp_path / "net.safetensors")
    save_file({"images": train.images[:30].flatten(1).contiguous()}, tmp_path / "g.safetensors")
    quick = {
        kind: AttackSettings(kind, one.eps * 4, one.eps, 3)
        for kind, one in attacks_on((3, SIDE, SIDE)).items()
    }
    monkeypatch.setattr("red_core.recipes.project.attacks_on", lambda shape: quick)
    monkeypatch.setattr("red_core.run.project.attacks_on", lambda shape: quick)
    return ProjectRequest(
        tmp_path / "made",
        "bars",
        PICTURES,
        tmp_path / "net.safetensors",
        folder,
        module=tmp_path / "net.py",
        generator=tmp_path / "g.safetensors",
        generator_module=tmp_path / "g.py",
        latent_shape=(30,),
        per_class=6,
        accept_generator=True,
    )


def test_a_project_of_pictures_is_made_loaded_and_used(
    request_of: ProjectRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    project = make_project(request_of, said.append)
    assert said[0].startswith("pictures    3 classes, 3 x 12 x 12; of every ten pictures of a")
    assert said[1] == "classifier  right on 100.0% of 12 images of bars (test)"
    assert any(line.startswith("generator   ") for line in said)
    assert set(CLASSES) == set(PAPER_ATTACKS)
    assert PICTURES not in CLASSES
    manifest = json.loads((request_of.folder / PICTURES / "manifest.json").read_text())
    assert "the ninth is held out" in manifest["examples.safetensors"]["split"]
    assert " --dataset bars " in manifest["dictionary.safetensors"]["command"]

    parts = load(project=request_of.folder)
    assert parts.dataset == "bars"
    assert parts.class_names == ("c00", "c01", "c02")
    assert parts.dictionary.atoms.shape == (3 * SIDE * SIDE, 3 * 3 * 6)
    assert parts.examples.source == "12 pictures for tests of bars"
    test = read_folder(request_of.pictures or Path()).parts["test"]
    assert torch.equal(parts.examples.images, test.images)
    attacked = craft(parts.psi, test.images[:3], test.labels[:3], "linf")
    found = undo(parts, attacked, "best", start_steps=5, steps=5)
    assert found.signal.shape == (3, 3, SIDE, SIDE)
    assert set(found.attacks) <= {"linf", "l2", "l1", "none"}
    assert RunSettings("bars", target=2).dataset == "bars"
    with pytest.raises(ValueError, match="target class must lie between 0 and 2"):
        RunSettings("bars", target=3)

    short = ["--set", "start_steps=3", "--set", "steps=3", "--device", "cpu"]
    where = ["--project", str(request_of.folder)]
    out = request_of.folder / "run.json"
    assert main(["run", *where, "--attack", "l2", *short, "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert report["project"] == project.label()
    assert len(report["residuals"]) == 3
    words = ["evaluate", *where, "--attack", "none", "--examples", "12", *short]
    assert main([*words, "--work", str(request_of.folder / "kept"), "--json", str(out)]) == 0
    assert json.loads(out.read_text())["adversarial_accuracy"]["value"] == 1
    arrays, picture = (
        request_of.folder / "x.npy",
        str(next((request_of.pictures or Path()).rglob("*.png"))),
    )
    np.save(arrays, attacked.numpy())
    capsys.readouterr()
    assert main(["undo", str(arrays), str(picture), *where, *short]) == 0
    shown = capsys.readouterr().out
    assert f"project   {project.label()}" in shown
    assert "x.npy: 3 images; taken as it is" in shown
    assert main(["project", "show", str(request_of.folder)]) == 0
    assert [own.key for own in opened()] == ["bars"]  # the one that was loaded here


def test_the_same_pictures_by_the_command(
    request_of: ProjectRequest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(request_of.folder.parent)
    base = ["project", "new", "mine", "--classifier", "net.safetensors", "--module", "net.py"]
    own = ["--generator-file", "g.safetensors", "--generator-module", "g.py", "--latent", "30"]
    for words, said in (
        (["--dataset", "bars"], "a folder of pictures needs a generator of its own"),
        (["--size", "12"], "--size goes with a folder of pictures"),
        (["--dataset", "nowhere"], "or name a folder of pictures"),
        (["--dataset", "bars", "--size", "3", *own], "the size must lie between 8 and 64"),
        (["--dataset", "bars", "--per-class", "33", *own], "a class has only 32 training images"),
        (["--dataset", "bars", "--size", "10", *own], "fails on images 3 x 10 x 10"),
    ):
        assert main([*base, *words, "--device", "cpu"]) == 2
        assert said in capsys.readouterr().err
    words = ["--dataset", "bars", "--per-class", "5", "--accept-generator", *own]
    assert main([*base, *words, "--device", "cpu"]) == 0
    assert load_project("projects/mine").dictionary.atoms.shape[1] == 45
    assert tuple(CLASSES)[: len(DATASETS)] == DATASETS


def test_a_dictionary_that_no_memory_holds_is_refused(
    request_of: ProjectRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("red_core.recipes.project.DICTIONARY_BYTES", 1000)
    with pytest.raises(ProjectError, match="a dictionary of 6 images a class and attack takes"):
        make_project(request_of, lambda line: None)
    monkeypatch.undo()
    assert PICTURES not in CLASSES
    # Without a number of its own D_a takes what it can.
    many = replace(request_of, per_class=0)
    monkeypatch.setattr("red_core.recipes.project.SMALL_BYTES", 9 * 4 * 3 * SIDE * SIDE * 7)
    from red_core.recipes import project

    assert project._per_class(many) == 7


def test_budgets_go_with_the_number_of_values() -> None:
    grey, colour = attacks_on((1, 56, 56)), attacks_on((3, 64, 64))
    assert attacks_on((1, 28, 28)) == PAPER_ATTACKS["mnist"]
    assert attacks_on((3, 32, 32)) == PAPER_ATTACKS["cifar10"]
    assert (grey["linf"].eps, grey["l2"].eps, grey["l1"].eps) == (0.3, 4.0, 40.0)
    assert (colour["linf"].eps, colour["l2"].eps, colour["l1"].eps) == (0.03, 1.0, 48.0)
    assert colour["l2"].step_size == 0.1
