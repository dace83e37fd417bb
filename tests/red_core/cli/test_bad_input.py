"""Bad input: one clear line, status 2, and nothing else happens."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from red_core.cli import main

WORDS = [
    ("run --attack foo", "unknown attack 'foo': choose linf, l2, l1, none"),
    ("run --dataset cats", "unknown data set 'cats'"),
    ("run --dataset mnist --preset bsd-dp", "unknown preset 'bsd-dp': choose best, paper"),
    ("run --set signal_step=diffusion", "start_step and signal_step are both diffusion"),
    (
        "run --set signal_step=diffusion --set start_step=diffusion",
        "MNIST has no diffusion model: choose another step on z",
    ),
    ("run --set feature_weight=0.1", "MNIST's classifier offers no features"),
    ("benchmark --dataset cifar10 --preset bsd-dp", "the plain loop knows neither diffusion"),
    ("run --preset worst", "unknown preset 'worst'"),
    ("run --device tpu", "unknown device 'tpu'"),
    ("run --eps -0.1", "--eps: must be a number above 0, not '-0.1'"),
    ("run --eps 0", "--eps: must be a number above 0"),
    ("run --eps nan", "--eps: must be a number above 0, not 'nan'"),
    ("run --eps=-inf", "--eps: must be a number above 0, not '-inf'"),
    ("run --eps inf", "--eps: must be a number above 0, not 'inf'"),
    ("run --eps lots", "--eps: must be a number above 0, not 'lots'"),
    ("run --attack l1 --eps 1e-30", "eps 1e-30 is below 1e-06, the least that moves pixels"),
    ("evaluate --attack l1 --eps-scale 1e-30", "is below 1e-06"),
    ("run --index 7 --target 7", "the target class 7 is the image's own class: choose another"),
    ("run --eps 1e9", "eps 1e+09 is above 1"),
    ("run --attack none --eps nan", "--eps: must be a number above 0"),
    ("run --step-size 0", "--step-size: must be a number above 0"),
    ("run --steps 0", "--steps: must be a whole number from 1, not '0'"),
    ("run --steps 2.5", "--steps: must be a whole number from 1, not '2.5'"),
    ("run --steps 1000000", "steps must lie between 1 and 2000"),
    ("run --index -1", "index must not be negative"),
    ("run --index seven", "--index: invalid int value: 'seven'"),
    ("run --index 12", "index 12 is beyond the 12 example images"),
    ("run --target 10", "target class must lie between 0 and 9"),
    ("run --seed -1", "seed must lie between 0 and"),
    ("run --set steps=0", "steps must lie between 1 and 5000, not 0"),
    ("run --set depth=3", "unknown solver option 'depth'"),
    ("run --set steps", "steps must be a whole number"),
    ("run --set lambda_fraction=nan", "lambda_fraction must be a finite number"),
    ("run --image nowhere.png", "there is no file nowhere.png"),
    ("run --index 3 --image a.png", "--image: not allowed with argument --index"),
    ("run --as-is", "--as-is goes with --image"),
    ("run --json no/such/folder/out.json", "the folder"),
    ("run --npz no/such/folder/out.npz", "the folder"),
    ("run --json .", "it is a folder"),
    ("evaluate --attack foo", "unknown attack 'foo'"),
    ("evaluate --examples 0", "--examples: must be a whole number from 1"),
    ("evaluate --examples 13", "13 examples were asked for, and there are 12"),
    ("evaluate --eps-scale nan", "--eps-scale: must be a number above 0"),
    ("evaluate --eps-scale 1000", "eps 300 is above 1"),
    ("evaluate --batch 100000", "batch must lie between"),
    ("evaluate --json no/such/folder/out.json", "the folder"),
    ("benchmark --preset worst", "unknown preset 'worst'"),
    ("benchmark --turns 40", "turns must lie between 1 and the batch of 32"),
    ("benchmark --json no/such/folder/out.json", "the folder"),
    ("results --only worst/", "no row begins with worst/"),
    ("results --dataset cats", "unknown data set 'cats'"),
    ("recipe cats", "unknown data set 'cats': choose mnist, fashion, cifar10"),
    ("recipe mnist --only hat", "unknown part 'hat' of mnist: choose classifier, generator"),
    ("recipe mnist --only diffusion", "unknown part 'diffusion' of mnist"),
    ("recipe cifar10 --only encoder", "unknown part 'encoder' of cifar10: choose classifier"),
    ("recipe mnist --estimate", "there is no estimate for mnist: only for cifar10"),
    ("recipe cifar10 --estimate --json no/such/folder/out.json", "the folder"),
    ("recipe cifar10 --json out.json", "--json goes with --estimate"),
    ("recipe cifar10 --scale huge", "--scale: invalid choice: 'huge'"),
    ("recipe mnist --seed -3", "seed must not be negative"),
    ("doctor --json no/such/folder/out.json", "the folder"),
    ("", "required: COMMAND"),
    ("cook", "invalid choice: 'cook'"),
    ("run --spice", "unrecognized arguments: --spice"),
]


@pytest.mark.parametrize(("words", "message"), WORDS, ids=[words for words, _ in WORDS])
def test_it_is_refused_in_one_line(
    refused, toy_assets: Path, tmp_path: Path, monkeypatch, words: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(*words.split())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_device_that_is_not_there(refused, toy_assets: Path, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "device 'cuda' is not available" in refused("run", "--device", "cuda")


def test_images_that_are_none(refused, toy_assets: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("a letter")
    assert "text.png is no PNG, JPEG or WebP image" in refused("run", "--image", text)
    nan = tmp_path / "nan.npz"
    np.savez(nan, image=np.full((28, 28), np.nan))
    assert "nan.npz" in refused("run", "--image", nan)
    dot = tmp_path / "dot.png"
    Image.new("L", (1, 1)).save(dot)
    assert "dot.png is 1 x 1 pixels" in refused("run", "--image", dot)
    assert "there is no file" in refused("run", "--image", tmp_path)


def test_a_work_folder_that_is_a_file(refused, toy_assets: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for words in ("evaluate --work", "recipe mnist --only dictionary --work"):
        assert "as a folder" in refused(*words.split(), file)


def test_data_that_are_not_there(refused, toy_assets: Path, tmp_path: Path, capsys) -> None:
    status = main(["recipe", "mnist", "--only", "dictionary", "--work", str(tmp_path / "work")])
    assert status == 2
    assert "set RED_DATA to a torchvision root that holds it" in capsys.readouterr().err


def test_assets_that_are_not_there(refused, toy_assets: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    message = refused("run", status=1)
    assert "classifier.safetensors" in message
    assert "python -m red_core recipe mnist" in message


def test_a_device_without_memory(refused, toy_assets: Path, monkeypatch) -> None:
    import torch

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("red_core.cli.run.craft_example", full)
    assert "--device cpu" in refused("run", status=1)


def test_an_interrupt_is_no_traceback(refused, toy_assets: Path, monkeypatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("red_core.cli.run.craft_example", stopped)
    assert refused("run", status=130) == "error: interrupted\n"


def test_help_is_there_for_every_command(capsys) -> None:
    for words in ([], ["run"], ["evaluate"], ["benchmark"], ["results"], ["recipe"], ["doctor"]):
        with pytest.raises(SystemExit) as left:
            main([*words, "--help"])
        assert left.value.code == 0
        assert "usage: python -m red_core" in capsys.readouterr().out
