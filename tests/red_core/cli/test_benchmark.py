"""`benchmark` with small counts: the keys and what holds on any machine."""

import json
import shutil
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.data.assets import read_json, read_manifest

COUNTS = "--batch 3 --turns 2 --singles 1 --steps 3 --set restarts=2 --set start_steps=2"
SMALL = ["benchmark", "--only", "solver", *COUNTS.split()]
COMMAND = (
    "python -m red_core benchmark --dataset mnist --only solver --batch 3 --turns 2 --singles 1 "
    "--set restarts=2 --set start_steps=2 --set steps=3"
)


def test_the_report(toy_assets: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "speed.json"
    assert main([*SMALL, "--turns", "1", "--preset", "paper", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    found = report["details"]
    assert report["throughput_ratio"] > 0
    assert report["objective_ratio"] == pytest.approx(1, rel=1e-3)
    computed = found["batch_images_per_second"] * found["flops_per_image"]
    assert report["peak_share"] == pytest.approx(computed / found["peak_flops_per_second"])
    assert report["paper_seconds"] > 0
    assert report["best_seconds"] > 0
    assert report["device"] == "cpu"
    # By hand, for G alone: 100 x 6272, then 128 x 64 x 16 at 7 x 7, then 64 x 16 at 14 x 14;
    # forward in every step and for the last picture, and as much backward.
    forward = 2 * (100 * 6272 + 128 * 64 * 16 * 49 + 64 * 16 * 196)
    assert report["details"]["flops_per_image"] > 2 * forward * (2 * 2 + 3)
    assert "times the throughput of the plain loop" in capsys.readouterr().out


def test_it_is_kept_only_when_asked(toy_assets: Path, tmp_path: Path, monkeypatch) -> None:
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    monkeypatch.setattr("red_core.cli.benchmark.benchmark", lambda *_: {"throughput_ratio": 7})
    monkeypatch.setattr("red_core.cli.benchmark.summary", lambda _: [])
    assert main(SMALL) == 0
    assert not (own / "mnist" / "benchmark.json").exists()
    assert main([*SMALL, "--keep"]) == 0
    assert read_json("mnist", "benchmark.json") == {"throughput_ratio": 7, "command": COMMAND}
    assert read_manifest("mnist")["benchmark.json"]["command"] == f"{COMMAND} --keep"


def test_one_part_is_kept_beside_the_other(toy_assets: Path, tmp_path: Path, monkeypatch) -> None:
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    monkeypatch.setattr("red_core.cli.benchmark.benchmark", lambda *_: {"throughput_ratio": 7})
    monkeypatch.setattr("red_core.cli.benchmark.summary", lambda _: [])
    monkeypatch.setattr("red_core.cli.benchmark.theory_speed", lambda: {"batch_ratio": 12})
    monkeypatch.setattr("red_core.cli.benchmark.theory_summary", lambda _: [])
    assert main([*SMALL, "--keep"]) == 0
    assert main(["benchmark", "--only", "theory", "--keep"]) == 0
    kept = read_json("mnist", "benchmark.json")
    assert kept == {"throughput_ratio": 7, "command": COMMAND, "theory": {"batch_ratio": 12}}
