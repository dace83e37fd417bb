"""What is stored beside every figure."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import red_core.run.provenance
from red_core.run.provenance import asset_checksums, commit, provenance


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    commit.cache_clear()
    yield
    commit.cache_clear()


def test_the_commit_is_the_checkouts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"rev-parse": "abc123\n", "status": ""}
    monkeypatch.setattr(red_core.run.provenance, "_git", lambda *words: answers[words[0]])
    assert commit() == "abc123"
    commit.cache_clear()
    answers["status"] = " M red_core/algorithm/algorithm1.py\n"
    assert commit() == "abc123+"
    answers["rev-parse"] = "later\n"
    assert commit() == "abc123+"  # not what this process runs


@pytest.mark.parametrize(
    "error", [FileNotFoundError("git"), subprocess.CalledProcessError(128, "")]
)
def test_outside_a_checkout(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: str) -> str:
        raise error

    monkeypatch.setattr(red_core.run.provenance, "_git", fail)
    made_by = provenance(torch.device("cpu"))
    assert made_by["commit"] is None
    assert made_by["device"] == "cpu"
    assert made_by["threads"] == torch.get_num_threads()


def test_checksums_of_trained_files_only(toy_assets: Path) -> None:
    names = [
        f"{part}.safetensors" for part in ("classifier", "dictionary", "examples", "generator")
    ]
    assert list(asset_checksums("mnist")) == names
