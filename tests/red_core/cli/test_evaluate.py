"""`evaluate` on toy assets, end to end."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from red_core.cli import main
from red_core.data import official
from red_core.run.bundle import load_bundle
from tests.red_core.ties import lead

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


def test_the_row_has_the_named_generator(toy_generators: Path, tmp_path: Path) -> None:
    out = tmp_path / "row.json"
    words = WORDS.replace("best", "paper").split()
    words += ["--generator", "dcgan", "--work", str(tmp_path / "work"), "--json", str(out)]
    assert main(words) == 0
    report = json.loads(out.read_text())
    assert report["settings"]["generator"] == "dcgan"
    assert "paper-generator.safetensors" in report["assets"]
    assert "--generator dcgan" in report["command"]


def write_idx(path: Path, values: torch.Tensor) -> None:
    """Bytes in MNIST's own format: type and dimensions, sizes, values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes((0, 0, 8, values.dim())) + sizes + values.numpy().tobytes())


def write_official(root: Path, images: torch.Tensor, labels: torch.Tensor) -> None:
    """An official data set of these images [N, 28, 28] and labels [N], both of bytes."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for split, name in (("train", "train"), ("test", "t10k")):
        files = {f"{name}-images-idx3-ubyte": images, f"{name}-labels-idx1-ubyte": labels}
        listed = []
        for file, values in files.items():
            write_idx(folder / file, values)
            md5 = hashlib.md5((folder / file).read_bytes()).hexdigest()
            listed.append(official.IdxFile(file, tuple(values.shape), md5))
        official.IDX["mnist"][split] = listed


@pytest.mark.parametrize("attack", ["none", "linf"])
def test_wrong_labels_that_were_repaired_are_measured_anew(
    toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    monkeypatch.setenv("RED_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(official.IDX, "mnist", {})  # `write_official` lists its own files
    images = load_bundle("mnist").examples.images[:5]
    logits = load_bundle("mnist").psi(images)
    assert lead(logits) > 1e-2  # the command reads them in other batches
    seen = logits.argmax(1)

    def measured(labels: torch.Tensor, work: str) -> dict:
        pixels = (images * 255).round().to(torch.uint8)[:, 0]
        write_official(tmp_path / "data", pixels, labels.to(torch.uint8))
        words = WORDS.replace("--attack none", f"--attack {attack}").split()
        out = tmp_path / "report.json"
        assert main([*words, "--work", str(tmp_path / work), "--json", str(out)]) == 0
        report = json.loads(out.read_text())
        assert report["source"] == "MNIST test"
        return report

    wrong = measured((seen + 1) % 10, "work")
    right = measured(seen, "work")
    assert right["key"]["images"] != wrong["key"]["images"]
    new = measured(seen, "another")
    without_time = ("seconds", "provenance")
    for report in (right, new):
        for name in without_time:
            report.pop(name)
    assert right == new
    if attack == "none":
        assert right["adversarial_accuracy"]["value"] == 1
        assert wrong["adversarial_accuracy"]["value"] == 0
