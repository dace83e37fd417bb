"""docs/extend.md and the scripts of docs/ are followed: code runs, lists are complete."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data import assets, datasets
from red_core.data.assets import write_tensors
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.run.bundle import load_bundle
from red_core.run.experiment import craft_example
from red_core.run.settings import RunSettings

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/extend.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: part for part in TEXT.partition("# How to extend")[2].split("\n## ")
}


def code(section: str) -> str:
    return "".join(re.findall(r"```python\n(.*?)```", SECTIONS[section], re.S))


def test_every_name_that_the_page_points_at_exists() -> None:
    targets = re.findall(r"`(red_core/[\w/]+)\.py::(\w+)`", TEXT)
    assert len(targets) > 10
    for file, name in targets:
        assert hasattr(importlib.import_module(file.replace("/", ".")), name), (file, name)


def test_a_data_set_of_the_tables_that_are_listed_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = re.findall(r"^- `(red_core/[\w/]+)\.py::(\w+)`", SECTIONS["A data set"], re.M)
    for file, name in listed:
        table = getattr(importlib.import_module(file.replace("/", ".")), name)
        monkeypatch.setitem(table, "letters", table["mnist"])
    monkeypatch.setattr(datasets, "DATASETS", tuple(datasets.CLASSES))  # made of CLASSES
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    made: dict[str, Any] = {"command": "python -m red_core recipe letters"}
    write_tensors("letters", "classifier.safetensors", Table3CNN().state_dict(), **made)
    write_tensors("letters", "generator.safetensors", DCGANGenerator().state_dict(), **made)
    deltas = {"deltas": 0.1 * torch.randn(10, 3, 2, 784)}
    kinds = list(PAPER_ATTACKS["letters"])
    write_tensors("letters", "dictionary.safetensors", deltas, attacks=kinds, **made)
    examples = {
        "images": torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8),
        "labels": torch.arange(4, dtype=torch.uint8),
    }
    write_tensors("letters", "examples.safetensors", examples, **made)
    assert assets.is_made("letters")
    settings = RunSettings(dataset="letters", attack="linf", attack_steps=2, index=1)
    crafted = craft_example(load_bundle("letters"), settings)
    assert crafted.attacked.shape == (1, 1, 28, 28)


def test_the_tables_of_a_data_set_are_all_listed() -> None:
    """Every table that is keyed by the data sets, in the modules that the page names."""
    listed = set(re.findall(r"^- `red_core/[\w/]+\.py::(\w+)`", SECTIONS["A data set"], re.M))
    keyed = {
        name
        for module in (datasets, assets, importlib.import_module("red_core.attacks.pgd"))
        for name, value in vars(module).items()
        if isinstance(value, dict) and set(value) == set(datasets.CLASSES)
    }
    assert keyed - {"_TORCHVISION_NAMES"} == listed


def test_the_code_of_generator_attack_and_rule_runs(capsys: pytest.CaptureFixture[str]) -> None:
    shared: dict[str, Any] = {}
    exec(code("A generator"), shared)
    assert "torch.Size([2, 16])" in capsys.readouterr().out
    exec(code("An attack"), shared)
    named = shared["found"].attacks
    assert set(named) <= {"linf", "fgsm"}
    assert shared["dictionary"].atoms.shape == (784, 80)
    exec(code("A verdict rule"), shared)
    assert len(shared["names"]) == 3
    assert set(shared["names"]) <= {"linf", "fgsm"}


def test_the_code_of_a_page_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text(code("A page"), encoding="utf-8")
    app = AppTest.from_file(str(path), default_timeout=60).run()
    assert not app.exception
    assert app.markdown[-1].value.startswith("psi reads a ")
    first = app.markdown[-1].value
    app.number_input[0].set_value(100).run()
    assert app.markdown[-1].value != first


def run_script(*words: str) -> str:
    """What a script of docs/ prints."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_script_makes_a_dictionary_for_another_model() -> None:
    words = ["--per-class", "3", "--tested", "4", "--attack-steps", "8", "--steps", "10"]
    said = run_script("docs/dictionary_for_your_model.py", *words)
    right = re.search(r"your model reads (\d+)% of the test digits right", said)
    assert right is not None
    assert int(right[1]) >= 50
    assert "D_a has 90 columns" in said
    rows = re.findall(r"^(\w+) +fools it on \d+%; undone: signal \d+%, attack \d+%", said, re.M)
    assert rows == ["linf", "l2", "l1"]


def test_the_script_holds_the_theory_against_a_matrix(tmp_path: Path) -> None:
    matrix = tmp_path / "w.csv"
    rows = torch.randn(20, 3, generator=torch.Generator().manual_seed(1)).tolist()
    matrix.write_text("\n".join(",".join(map(str, row)) for row in rows))
    words = ["--matrix", str(matrix), "--examples", "3", "--steps", "60"]
    said = run_script("docs/theory_on_your_w.py", *words)
    assert "W is 20 x 3, its singular values from" in said
    share = re.search(r"Theorem 3 applies to (\d+)% of the instances", said)
    factors = re.findall(r"(0\.\d+)", "".join(said.splitlines(keepends=True)[4:6]))
    assert share is not None
    assert int(share[1]) > 0
    assert float(factors[-1]) <= float(factors[0]) < 1
    floor = re.search(r"with a leaky ReLU of slope [\d.]+: mu >= ([\d.e-]+) everywhere", said)
    assert floor is not None
    assert float(floor[1]) > 0


def test_the_script_undoes_one_image(tmp_path: Path) -> None:
    picture = tmp_path / "undone.png"
    shown = run_script("docs/undo_one_image.py", "--index", "7", "--picture", str(picture))
    said = re.search(r"the digit is a (\d); psi reads x' as (\d)", shown)
    assert said is not None
    assert said[1] != said[2]
    assert f"the recovered signal is a {said[1]}, the attack linf" in shown
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_figures_of_a_foreign_classifier_are_the_measured_ones() -> None:
    found = json.loads((ROOT / "tests/red_core/recipes/foreign.json").read_text(encoding="utf-8"))
    page = " ".join((ROOT / "docs/extend.md").read_text(encoding="utf-8").split())

    def percent(share: float) -> str:
        return f"{100 * share:.1f}".removesuffix(".0")

    kinds = [found[kind] for kind in ("linf", "l2", "l1")]
    named = [percent(kind["attack_accuracy"]) for kind in kinds]
    read = [percent(kind["adversarial_accuracy"]) for kind in kinds]
    assert f"it took {found['minutes_to_first_verdict']:.1f} minutes" in page
    assert f"Of {found['n']} official test images" in page
    assert f"named {percent(found['mean_attack_accuracy'])}% of the attacks" in page
    assert f"(l-inf {named[0]}, l2 {named[1]}, l1 {named[2]})" in page
    assert f"{percent(found['mean_signal_accuracy'])}% of the signals" in page
    assert f"read {read[0]}, {read[1]} and {read[2]}%" in page


def test_the_minutes_of_a_resnet20s_dictionary_are_the_measured_ones() -> None:
    text = (ROOT / "tests/red_core/recipes/resnet20.json").read_text(encoding="utf-8")
    page = (ROOT / "docs/extend.md").read_text(encoding="utf-8")
    assert f"took {json.loads(text)['minutes_to_the_dictionary']:.1f} minutes on\n" in page
