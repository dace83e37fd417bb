"""`starts` on toy assets, end to end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.measure import start_classes
from red_core.measure.result_store import stored
from red_core.measure.start_classes import STARTS, random_options


def test_the_report_of_random_starts_is_kept(
    toy_generators: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    short = replace(random_options("mnist"), start_steps=2, steps=2)
    monkeypatch.setattr(start_classes, "random_options", lambda dataset: short)
    out = tmp_path / "starts.json"
    words = ["starts", "--dataset", "mnist", "--examples", "4", "--generator", "dcgan", "--keep"]
    assert main([*words, "--work", str(tmp_path / "work"), "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["generator"], report["steps"]) == (4, "dcgan", 4)
    assert stored("mnist", STARTS) == report
    assert "4 steps from a random z" in capsys.readouterr().out


def test_a_generator_that_the_data_set_has_not_is_one_line(toy_assets: Path, capsys) -> None:
    assert main(["starts", "--dataset", "cifar10", "--generator", "dcgan"]) == 2
    assert "CIFAR-10 has no generator dcgan" in capsys.readouterr().err
