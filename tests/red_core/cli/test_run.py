"""`run` on toy assets: its JSON, its arrays, its words, and that it repeats itself."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from red_core.cli import main

QUICK = ["--steps", "2", "--set", "restarts=2", "--set", "start_steps=2", "--set", "steps=4"]


def run(tmp_path: Path, *words: str) -> dict:
    out = tmp_path / "run.json"
    assert main(["run", *QUICK, *words, "--json", str(out)]) == 0
    return json.loads(out.read_text())


@pytest.mark.parametrize("attack", ["linf", "l2", "l1", "none"])
def test_the_report(toy_assets: Path, tmp_path: Path, capsys, attack: str) -> None:
    report = run(tmp_path, "--dataset", "mnist", "--attack", attack, "--index", "7")
    assert report["true_label"] == 7
    for name in ("adversarial_label", "signal_label"):
        assert report[name] in range(10)
    assert report["attack_label"] in ("linf", "l2", "l1", "none", "unknown")
    assert np.shape(report["residuals"]) == (10, 3)
    assert set(report["margins"]) == {"signal", "attack", "block"}
    assert report["gap"] >= -1e-3
    assert report["seconds"] > 0
    assert report["source"] == "12 bundled held-out examples"
    assert report["settings"]["attack"] == attack
    assert report["settings"]["preset"] == "best"
    said = capsys.readouterr()
    assert "image     a 7" in said.out
    assert "the attacked classifier reads G(z)" in said.out
    assert "solve" in said.err  # the progress bar


def test_the_settings_reach_the_attack(toy_assets: Path, tmp_path: Path) -> None:
    words = "--attack l2 --eps 1.5 --step-size 0.25 --target 3 --preset paper --seed 9"
    report = run(tmp_path, *words.split())
    assert report["resolved"]["attack"] == {"kind": "l2", "eps": 1.5, "step_size": 0.25, "steps": 2}
    assert report["settings"]["target"] == 3
    assert report["settings"]["seed"] == 9
    assert report["resolved"]["solver"]["steps"] == 4


def test_the_generator_is_the_named_one(toy_generators: Path, tmp_path: Path) -> None:
    words = ["--attack", "none", "--preset", "paper"]
    ours = run(tmp_path, *words)
    papers = run(tmp_path, *words, "--generator", "dcgan")
    assert (ours["settings"]["generator"], papers["settings"]["generator"]) == ("own", "dcgan")
    assert ours["objective"] != papers["objective"]


def test_a_generator_that_cannot_be_is_one_line(toy_generators: Path, refused) -> None:
    words = ["run", "--preset", "paper", "--generator", "dcgan"]
    assert "no generator dcgan" in refused(*words, "--dataset", "cifar10")
    assert "choose paper" in refused(*words, "--preset", "best")
    assert "--only paper_generator" in refused(*words, "--dataset", "fashion", status=1)


@pytest.mark.parametrize("generator", ["own", "dcgan"])
def test_the_command_in_the_report_repeats_the_run(
    toy_generators: Path, tmp_path: Path, monkeypatch, generator: str
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ["--preset", "paper", "--generator", "dcgan"] if generator == "dcgan" else []
    first = run(tmp_path, "--attack", "l1", "--index", "5", "--seed", "3", *named)
    words = shlex.split(first["command"])
    assert words[:3] == ["python", "-m", "red_core"]
    assert main(words[3:]) == 0
    again = json.loads((tmp_path / "run.json").read_text())
    for name in ("residuals", "probabilities", "gap", "settings"):
        assert again[name] == first[name]


def test_arrays_and_back_again(toy_assets: Path, tmp_path: Path) -> None:
    arrays = tmp_path / "arrays"
    run(tmp_path, "--attack", "linf", "--index", "2", "--npz", str(arrays))
    with np.load(arrays) as stored:
        kept = {name: stored[name] for name in stored.files}
    assert abs(kept["attacked"] - kept["image"]).max() <= 0.3 + 1e-5
    # The attacked image, taken as it is, with no attack on top.
    np.savez(tmp_path / "attacked.npz", image=kept["attacked"])
    own = tmp_path / "own"
    words = ("--attack", "none", "--image", str(tmp_path / "attacked.npz"), "--npz", str(own))
    report = run(tmp_path, *words)
    with np.load(own) as stored:
        assert (stored["attacked"] == kept["attacked"]).all()
    assert report["true_label"] is None
    assert report["source"] == "own image attacked.npz"


def test_a_picture_of_ones_own(toy_assets: Path, tmp_path: Path, capsys) -> None:
    picture = Image.new("RGB", (60, 80), "white")
    ImageDraw.Draw(picture).line((30, 10, 30, 70), fill="black", width=8)
    picture.save(tmp_path / "one.jpg")
    report = run(tmp_path, "--attack", "linf", "--image", str(tmp_path / "one.jpg"))
    assert report["true_label"] is None
    assert report["settings"]["source"] == "own"
    assert "unknown class, attacked with linf (eps 0.3, 2 steps)" in capsys.readouterr().out
    told = run(tmp_path, "--attack", "linf", "--image", str(tmp_path / "one.jpg"), "--label", "1")
    assert told["true_label"] == 1
    assert "image     a 1, attacked with linf" in capsys.readouterr().out


def test_the_arrays_of_a_run_are_read_back_as_its_attacked_image(
    toy_assets: Path, tmp_path: Path, capsys
) -> None:
    arrays, again = tmp_path / "r.npz", tmp_path / "again.npz"
    run(tmp_path, "--attack", "linf", "--index", "2", "--npz", str(arrays))
    report = run(tmp_path, "--image", str(arrays), "--npz", str(again))
    assert report["settings"]["attack"] == "none"
    assert report["taken"][-1] == "already attacked: not attacked again"
    with np.load(arrays) as first, np.load(again) as second:
        assert (second["attacked"] == first["attacked"]).all()
    assert report["taken"][0] == "the array 'attacked' of the file"
    assert "taken     the array 'attacked' of the file; taken as it is" in capsys.readouterr().out


def test_what_is_done_to_a_picture_is_said_and_can_be_switched_off(
    toy_assets: Path, tmp_path: Path, capsys
) -> None:
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[4:24, 12:16] = 0
    Image.fromarray(pixels).save(tmp_path / "one.png")
    words = ("--attack", "none", "--image", str(tmp_path / "one.png"))
    report = run(tmp_path, *words)
    assert report["taken"][0] == "inverted: the background was bright"
    assert "taken     inverted: the background was bright; already 28" in capsys.readouterr().out
    out = tmp_path / "as-is.npz"
    report = run(tmp_path, *words, "--as-is", "--npz", str(out))
    assert report["taken"] == ["taken as it is, as was asked"]
    assert report["command"].endswith(" --as-is")
    with np.load(out) as stored:
        assert (stored["attacked"] * 255 == pixels).all()


def test_a_label_goes_with_an_image(toy_assets: Path, capsys) -> None:
    assert main(["run", *QUICK, "--label", "1"]) != 0
    assert "--label goes with --image" in capsys.readouterr().err


def test_clothes_by_their_names_and_made_as_the_data_sets_own(
    toy_assets: Path, tmp_path: Path, capsys
) -> None:
    report = run(tmp_path, "--dataset", "fashion", "--index", "9")
    assert report["settings"]["dataset"] == "fashion"
    assert report["true_label"] == 9
    assert "--dataset fashion" in report["command"]
    assert "image     an ankle boot, attacked with linf" in capsys.readouterr().out
    picture = Image.new("RGB", (60, 80), "white")
    ImageDraw.Draw(picture).rectangle((20, 10, 39, 69), fill="black")
    picture.save(tmp_path / "dress.png")
    words = ("--attack", "none", "--image", str(tmp_path / "dress.png"))
    heights = {}
    for dataset in ("mnist", "fashion"):
        arrays = tmp_path / dataset
        run(tmp_path, "--dataset", dataset, *words, "--npz", str(arrays))
        with np.load(arrays) as stored:
            heights[dataset] = int((stored["image"] > 0.1).any(1).sum())
    assert heights == {"mnist": 20, "fashion": 28}


def test_a_realizable_instance(toy_assets: Path, tmp_path: Path) -> None:
    report = run(tmp_path, "--realizable", "--attack", "l2", "--seed", "4")
    assert report["source"] == "realizable instance of seed 4"
    assert report["true_label"] in range(10)


def test_the_official_test_set_comes_first(
    toy_assets: Path, toy_bundle, tmp_path: Path, monkeypatch
) -> None:
    from red_core.data.datasets import ImageSet

    official = ImageSet(toy_bundle.examples.images[:3], toy_bundle.examples.labels[5:8], "official")
    monkeypatch.setattr("red_core.run.bundle.load_official", lambda *_: official)
    report = run(tmp_path, "--index", "1")
    assert report["source"] == "official"
    assert report["true_label"] == 6
