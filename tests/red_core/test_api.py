"""The public names: cheap to import, documented by examples that run, and refusing bad input."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

import red_core
from red_core.api import Attack, Bundle, craft, load, undo
from red_core.data.assets import AssetError, assets_root, read_tensors

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = (
    "red_core", "red_core.api", "red_core.algorithm.algorithm1", "red_core.algorithm.presets",
    "red_core.algorithm.problem", "red_core.algorithm.verdict", "red_core.attacks.pgd",
)  # fmt: skip
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def examples_of(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module), module)
    return [one for one in found if one.examples]


@pytest.mark.parametrize("module", DOCUMENTED)
def test_the_examples_of_the_docstrings_run(module: str) -> None:
    examples = examples_of(module)
    assert examples
    runner = doctest.DocTestRunner()
    for example in examples:
        runner.run(example)
    assert runner.summarize(verbose=False).failed == 0


def test_every_public_name_has_a_docstring_and_is_used_in_an_example() -> None:
    api = importlib.import_module("red_core.api")
    used = "".join(
        one.source for m in DOCUMENTED for test in examples_of(m) for one in test.examples
    )
    for name in red_core.__all__:
        public = getattr(red_core, name)
        assert public is getattr(api, name)
        assert public.__doc__
        assert name in used or public.__name__ in used, name


def test_importing_the_library_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, red_core; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        red_core.lod  # noqa: B018
    assert set(red_core.__all__) <= set(dir(red_core))


def test_every_package_of_the_core_is_installed() -> None:
    packages = {p.parent.relative_to(ROOT).as_posix() for p in (ROOT / "red_core").rglob("*.py")}
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"]) - {"red_core.assets.mnist"}
    assert {name.replace("/", ".") for name in packages} == listed


def test_the_packaged_files_are_those_that_load_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    read = {"manifest.json"}

    def noted(dataset: str, name: str) -> dict[str, torch.Tensor]:
        read.add(name)
        return read_tensors(dataset, name)

    monkeypatch.setattr("red_core.run.bundle.read_tensors", noted)
    load("mnist")
    assert set(PYPROJECT["tool"]["setuptools"]["package-data"]["red_core.assets.mnist"]) == read


def test_an_installed_package_works_outside_the_checkout(tmp_path: Path) -> None:
    """`pip install` without a network, its command, its weights, and what it does not carry."""
    pytest.importorskip("setuptools")
    target = tmp_path / "target"
    source = tmp_path / "source"  # setuptools builds inside its source tree
    source.mkdir()
    for name in ("pyproject.toml", "LICENSE", "red_core", "assets"):
        (source / name).symlink_to(ROOT / name)
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-build-isolation"]
    options = ["--no-deps", "--quiet", "--target", str(target), str(source)]
    subprocess.run([*pip, *options], check=True, capture_output=True, timeout=200)
    assert not list(target.rglob("*.red"))
    assert not list(target.rglob("table*.json"))
    code = (
        "import red_core; parts = red_core.load(); print(red_core.__file__, len(parts.examples));"
        "red_core.load('fashion')"
    )
    environment = {k: v for k, v in os.environ.items() if k != "RED_ASSETS"}
    environment["PYTHONPATH"] = str(target)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(target / "red_core/__init__.py"), "400"], done.stderr
    assert "set RED_ASSETS to the assets folder of a checkout" in done.stderr
    command = [sys.executable, str(target / "bin/red"), "run", "--help"]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "attack one image" in shown.stdout or "--attack" in shown.stdout, shown.stderr
    assert (target / "red_core/py.typed").is_file()


def test_the_packages_own_assets_come_before_a_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RED_ASSETS", raising=False)
    assert assets_root() == ROOT / "assets"
    monkeypatch.setattr("red_core.data.assets._PACKAGED", tmp_path)
    assert assets_root() == tmp_path
    with pytest.raises(AssetError, match=r"does not carry mnist/classifier\.safetensors"):
        read_tensors("mnist", "classifier.safetensors")


def test_bad_input_is_refused(toy_bundle: Bundle) -> None:
    images, labels = toy_bundle.examples.images[:2], toy_bundle.examples.labels[:2]
    with pytest.raises(ValueError, match="unknown data set 'letters'"):
        load("letters")
    with pytest.raises(ValueError, match="unknown attack 'l3'"):
        craft(toy_bundle.psi, images, labels, "l3")
    with pytest.raises(ValueError, match="no attack for images of shape"):
        craft(toy_bundle.psi, images[..., :20], labels)
    with pytest.raises(ValueError, match="2 images need as many seeds, not 1"):
        craft(toy_bundle.psi, images, labels, seeds=[1])
    with pytest.raises(ValueError, match="unknown preset 'bets'"):
        undo(toy_bundle, images, "bets")
    with pytest.raises(ValueError, match=r"x' must be \[B, 1, 28, 28\], not \[1, 28, 28\]"):
        undo(toy_bundle, images[0])
    with pytest.raises(ValueError, match="steps must lie between 1 and 5000"):
        undo(toy_bundle, images, steps=0)
    with pytest.raises(ValueError, match="NaN"):
        undo(toy_bundle, images * torch.nan, "paper", steps=1)
    with pytest.raises(TypeError, match="stepz"):
        undo(toy_bundle, images, stepz=1)


def test_an_items_answer_does_not_depend_on_its_neighbours(toy_bundle: Bundle) -> None:
    images, labels = toy_bundle.examples.images[:3], toy_bundle.examples.labels[:3]
    attack = Attack("linf", 0.3, 0.1, 3)
    attacked = craft(toy_bundle.psi, images, labels, attack, seeds=[5, 6, 7])
    alone = craft(toy_bundle.psi, images[2:], labels[2:], attack, seeds=[7])
    assert torch.allclose(attacked[2:], alone, atol=1e-6)
    seen: list[int] = []
    few = {"restarts": 2, "start_steps": 2, "steps": 3}
    every = undo(
        toy_bundle, attacked, "paper", seeds=[1, 2, 3], watch=lambda: seen.append(1), **few
    )
    one = undo(toy_bundle, attacked[2:], "paper", seeds=[3], **few)
    assert len(seen) == 5
    assert torch.allclose(every.signal[2:], one.signal, atol=1e-4)
    rebuilt = every.signal + every.perturbation + every.iterate.residual
    assert torch.allclose(rebuilt, attacked, atol=1e-5)


def test_the_readmes_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    shared: dict[str, Any] = {}
    exec(example, shared)
    found = shared["found"]
    assert found.attacks == ("linf",) * 5
    assert found.labels.tolist() == shared["labels"].tolist()
    assert "linf" in capsys.readouterr().out
