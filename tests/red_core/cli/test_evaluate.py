"""`evaluate` on toy assets, end to end."""

import json
from pathlib import Path

from red_core.cli import main

WORDS = (
    "evaluate --dataset mnist --attack none --examples 5 --batch 3 --preset best "
    "--set restarts=2 --set start_steps=2 --set steps=3"
)


def test_the_report(toy_assets: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "table.json"
    words = [*WORDS.split(), "--work", str(tmp_path / "work"), "--json", str(out)]
    assert main(words) == 0
    report = json.loads(out.read_text())
    assert report["n"] == 5
    assert report["source"] == "12 bundled held-out examples"
    assert report["seconds"] >= 0
    for name in ("signal", "psi_signal", "attack", "block_attack", "adversarial"):
        part = report[f"{name}_accuracy"]
        assert set(part) == {"value", "low", "high"}
        assert 0 <= part["low"] <= part["value"] <= part["high"] <= 1
    assert set(report["provenance"]) >= {"commit", "torch", "threads", "device"}
    assert report["settings"]["preset"] == "best"
    shown = capsys.readouterr()
    assert "best on none (eps x 1): 5 images" in shown.out
    assert "best on none" in shown.err  # the progress bar
