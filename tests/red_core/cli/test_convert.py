"""The command `convert`: what it says, and how it refuses."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from red_core.cli import main


def test_it_writes_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "g.pt", tmp_path / "g.safetensors"
    torch.save({"G_ema": {"a": torch.zeros(3, 400)}}, source)
    assert main(["convert", str(source), str(target)]) == 0
    shown = capsys.readouterr().out
    assert "tensors   1, 1,200 numbers" in shown
    assert "needs a Python file that builds it" in shown
    assert load_file(target)["a"].shape == (3, 400)


def test_it_refuses_in_one_line(tmp_path: Path, refused: Callable[..., str]) -> None:
    source, target = tmp_path / "g.pkl", tmp_path / "g.safetensors"
    source.write_bytes(pickle.dumps({"G_ema": Path("x")}))
    assert "pass --unpickle if you trust" in refused("convert", source, target)
    assert "there is no file" in refused("convert", tmp_path / "no.pt", target)
    assert "the folder" in refused("convert", source, tmp_path / "no" / "g.safetensors")
    assert "has no 'D'" in refused("convert", source, target, "--key", "D", "--unpickle")
