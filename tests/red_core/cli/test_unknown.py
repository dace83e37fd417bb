"""`unknown`: the command from end to end, on toy assets."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from red_core.algorithm import presets
from red_core.cli import main


def test_the_report(toy_assets: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    short = replace(presets.PRESETS["best"], restarts=2, start_steps=1, steps=2, halve_at=())
    monkeypatch.setitem(presets.PRESETS, "best", short)
    kept: list[dict] = []
    monkeypatch.setattr("red_core.cli.unknown.keep_report", kept.append)
    out = tmp_path / "unknown.json"
    words = ["unknown", "--examples", "3", "--attacks", "noise, none", "--work", str(tmp_path)]
    assert main([*words, "--json", str(out), "--keep"]) == 0
    report = json.loads(out.read_text())
    assert kept == [report]
    assert list(report["attacks"]) == ["none", "noise"]
    shown = capsys.readouterr().out
    assert "Gaussian noise" in shown
    assert "nothing is called unknown" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dataset", "letters"), "unknown data set"),
        (("--examples", "none"), "whole number from 1"),
        (("--attacks", "sneeze"), "unknown attack 'sneeze'"),
    ],
)
def test_what_is_refused(toy_assets: Path, tmp_path: Path, refused, words, said) -> None:
    assert said in refused("unknown", *words, "--work", tmp_path)
