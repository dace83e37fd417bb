"""The public names: cheap to import, documented by examples that run, and refusing bad input."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
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
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"
NO_NETWORK = """import socket
def refused(*_, **__): raise OSError("no network in this test")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refused"""
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


def readme_example() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    return str(example)


def test_a_fresh_environment_runs_the_readmes_example_without_a_network(tmp_path: Path) -> None:
    """`pip install` into a new venv, which sees this one's torch; no checkout, no package index."""
    pytest.importorskip("setuptools")
    source, fresh = tmp_path / "source", tmp_path / "fresh"
    source.mkdir()  # setuptools builds inside its source tree
    for name in ("pyproject.toml", "LICENSE", "red_core", "assets"):
        (source / name).symlink_to(ROOT / name)
    venv.create(fresh, with_pip=False)
    python = fresh / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(subprocess.check_output([python, "-c", SITE], text=True).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    offline = ["--no-index", "--no-build-isolation", "--no-deps", str(source)]
    subprocess.run([*pip, *offline], check=True, capture_output=True, timeout=200)
    assert not list((site / "red_core").rglob("*.red"))
    assert not list((site / "red_core").rglob("table*.json"))
    assert (site / "red_core/py.typed").is_file()
    hidden = ("RED_ASSETS", "RED_DATA", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    more = "print(red_core.__file__, len(parts.examples))\nred_core.load('fashion')"
    code = f"{NO_NETWORK}\n{readme_example()}\n{more}"
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    *_, said, last = done.stdout.splitlines() or ["", done.stderr]
    assert said.endswith("('linf', 'linf', 'linf', 'linf', 'linf')"), done.stderr
    assert last == f"{site / 'red_core/__init__.py'} 400"
    assert "set RED_ASSETS to the assets folder of a checkout" in done.stderr
    command = [str(python.with_name("red")), "run", "--help"]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "--attack" in shown.stdout, shown.stderr


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
    shared: dict[str, Any] = {}
    exec(readme_example(), shared)
    found = shared["found"]
    assert found.attacks == ("linf",) * 5
    assert found.labels.tolist() == shared["labels"].tolist()
    assert "linf" in capsys.readouterr().out
