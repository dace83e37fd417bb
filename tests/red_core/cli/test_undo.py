"""`undo`: attacked images of other libraries, whatever file they come in."""

import csv
import errno
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from red_core.cli import main
from red_core.data.assets import is_made
from red_core.data.intake import Intake
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.foreign import guess_attacked, picture_of, undo_images
from red_core.run.settings import RunSettings

FOREIGN = Path(__file__).parents[1] / "data" / "foreign"
QUICK = ["--set", "restarts=2", "--set", "start_steps=2", "--set", "steps=4"]


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 28, 28)).astype(np.float32)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_files_of_every_kind_in_one_call(toy_assets: Path, tmp_path: Path, capsys) -> None:
    np.save(tmp_path / "many.npy", images(3)[:, None])
    np.savez(tmp_path / "two.npz", adv=images(2, 1), images=images(2, 2), labels=np.arange(2))
    Image.fromarray((images(1, 3)[0] * 255).astype(np.uint8)).save(tmp_path / "one.png")
    names = [str(tmp_path / name) for name in ("many.npy", "two.npz", "one.png")]
    out, table, folder = tmp_path / "o.jsonl", tmp_path / "t.csv", tmp_path / "pictures"
    words = ["--json", str(out), "--table", str(table), "--pictures", str(folder), "--batch", "4"]
    assert main(["undo", *names, *words, *QUICK]) == 0
    made = lines(out)
    named = [f"many.npy, image {i}" for i in range(3)]
    named += ["two.npz, image 0", "two.npz, image 1", "one.png"]
    assert [line["image"] for line in made] == named
    assert made[3]["taken"][0] == "the array 'adv' of the file"
    for line in made:
        assert line["attack"] in ("linf", "l2", "l1", "none", "unknown")
        assert line["signal"] in "0123456789"
        assert set(line["margins"]) == {"signal", "attack", "block"}
        assert 0 < line["unknown"]["p_value"] <= 1
        assert line["settings"] == {
            "dataset": "mnist", "preset": "best", "seed": 0,
            "solver": {"restarts": 2, "start_steps": 2, "steps": 4},
        }  # fmt: skip
    rows = list(csv.DictReader(table.open()))
    assert [row["image"] for row in rows] == named
    assert [row["signal"] for row in rows] == [line["signal"] for line in made]
    pictures = sorted(folder.iterdir())
    assert [path.name for path in pictures][:2] == [
        "00000-many.npy-image-0.png", "00001-many.npy-image-1.png",
    ]  # fmt: skip
    assert len(pictures) == 6
    assert Image.open(pictures[0]).size == (4 * 4 * 28, 4 * 28)
    said = capsys.readouterr().out
    assert "read      many.npy: 3 images; taken as it is" in said
    assert "read      two.npz: 2 images; the array 'adv' of the file; taken as it is" in said
    assert said.count("margin") == 12


def test_answers_do_not_depend_on_place_or_batch(toy_assets: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "many.npy", images(5))
    np.save(tmp_path / "last.npy", images(5)[4])
    answers = []
    for name, batch in (("many.npy", "5"), ("many.npy", "2"), ("last.npy", "1")):
        out = tmp_path / "o.jsonl"
        words = ["--json", str(out), "--batch", batch]
        assert main(["undo", str(tmp_path / name), *words, *QUICK]) == 0
        answers.append(lines(out))
    for one, other in zip(answers[0], answers[1], strict=True):
        np.testing.assert_allclose(one["residuals"], other["residuals"], rtol=1e-3)
    np.testing.assert_allclose(answers[0][4]["residuals"], answers[2][0]["residuals"], rtol=1e-3)


def test_colour_comes_in_either_layout(toy_assets: Path, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    np.save(tmp_path / "last.npy", array)
    np.save(tmp_path / "first.npy", (array / 255).transpose(0, 3, 1, 2))
    out = tmp_path / "o.jsonl"
    quick = ["--set", "restarts=0", "--set", "steps=2", "--set", "encoder_start=false"]
    quick += ["--set", "carry=1", "--set", "start_steps=1", "--set", "mean_start=true"]
    words = ["--dataset", "cifar10", "--json", str(out), *quick]
    files = [str(tmp_path / name) for name in ("last.npy", "first.npy")]
    assert main(["undo", *files, *words, "--preset", "paper"]) == 0
    made = lines(out)
    for one, other in zip(made[:2], made[2:], strict=True):
        np.testing.assert_allclose(one["residuals"], other["residuals"], rtol=1e-3)


def test_a_bad_file_stops_no_other(toy_assets: Path, tmp_path: Path, capsys) -> None:
    np.save(tmp_path / "good.npy", images(1))
    (tmp_path / "bad.png").write_text("no picture")
    np.save(tmp_path / "blank.npy", np.zeros((2, 28, 28)))
    names = [str(tmp_path / name) for name in ("bad.png", "good.npy", "blank.npy", "none.npy")]
    out = tmp_path / "o.jsonl"
    assert main(["undo", *names, "--json", str(out), *QUICK]) == 2
    assert [line["image"] for line in lines(out)] == ["good.npy"]
    shown = capsys.readouterr()
    assert "good.npy" in shown.out
    error = shown.err.splitlines()[-1]
    assert error.startswith("error: ")
    for part in ("bad.png is no PNG", "blank.npy, image 0 shows nothing", "There is no file"):
        assert part in error


def test_nothing_to_undo_is_one_line(refused, toy_assets: Path, tmp_path: Path) -> None:
    assert "There is no file" in refused("undo", tmp_path / "none.png")
    assert "required: FILE" in refused("undo")
    np.save(tmp_path / "x.npy", images(1))
    assert "unknown data set 'cats'" in refused("undo", tmp_path / "x.npy", "--dataset", "cats")
    assert "batch must lie between" in refused("undo", tmp_path / "x.npy", "--batch", "100000")
    for flag in ("--json", "--table"):
        assert "does not exist" in refused("undo", tmp_path / "x.npy", flag, tmp_path / "no" / "o")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_files_that_cannot_be_written_take_no_answer_away(
    toy_assets: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    np.save(tmp_path / "x.npy", images(3))
    folder = tmp_path / "pictures"

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("red_core.cli.undo.write_atomically", full)
    words = ["undo", str(tmp_path / "x.npy"), "--json", "/dev/full", "--pictures", str(folder)]
    assert main([*words, "--table", str(tmp_path / "t.csv"), *QUICK]) == 2
    shown = capsys.readouterr()
    assert shown.out.count("margin") == 6
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 4
    error = shown.err.splitlines()[-1]
    assert "/dev/full cannot be written: No space left on device." in error
    assert f"{folder} cannot be written into: No space left on device." in error


def test_what_was_finished_is_kept(toy_assets: Path, tmp_path: Path, refused, monkeypatch) -> None:
    from red_core.run import foreign

    calls = []

    def once(*given: object) -> object:
        calls.append(given)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return begin(*given)

    begin = foreign.begin_run
    monkeypatch.setattr(foreign, "begin_run", once)
    np.save(tmp_path / "x.npy", images(5))
    out = tmp_path / "o.jsonl"
    words = ["undo", str(tmp_path / "x.npy"), "--json", str(out), "--batch", "2", *QUICK]
    assert main(words) == 130
    assert [line["image"] for line in lines(out)] == ["x.npy, image 0", "x.npy, image 1"]


def test_the_parts_of_an_image_add_up(toy_bundle: Bundle) -> None:
    settings = RunSettings(
        source="own", attack="none",
        solver=(("restarts", 2), ("start_steps", 2), ("steps", 4)),
    )  # fmt: skip
    taken = [Intake(toy_bundle.examples.images[i], ()) for i in range(3)]
    steps: list[None] = []
    batches = list(undo_images(toy_bundle, taken, settings, 2, lambda: steps.append(None)))
    assert [[one.number for one in batch] for batch in batches] == [[0, 1], [2]]
    assert len(steps) == 12
    for one in (one for batch in batches for one in batch):
        np.testing.assert_allclose(one.parts[0], one.parts[1:].sum(0), atol=1e-5)
        assert picture_of(one.parts, 1).size == (112, 28)


# With the trained files


@pytest.fixture(scope="module")
def trained() -> Bundle:
    if not is_made("mnist"):
        pytest.skip("the trained files are not all there yet")
    return load_bundle("mnist")


def test_the_attacks_of_other_libraries_are_named(trained: Bundle, tmp_path: Path) -> None:
    """Eight images of each, as the libraries' own layouts hold them; all undone together."""
    with np.load(FOREIGN / "libraries.npz") as stored:
        made = {name: stored[name].astype(np.float32) for name in stored.files}
    labels = made.pop("labels")
    layouts = {
        "linf": lambda x: x,
        "l2": lambda x: x.transpose(0, 2, 3, 1),
        "l1": lambda x: x[:, 0],
    }
    files = []
    for name, adv in made.items():
        files.append(tmp_path / f"{name}.npz")
        np.savez(files[-1], adv_images=layouts[name.split("_")[1]](adv), labels=labels)
    out = tmp_path / "o.jsonl"
    assert main(["undo", *map(str, files), "--json", str(out)]) == 0
    for name in made:
        kind = name.split("_")[1]
        answers = [line for line in lines(out) if line["image"].startswith(f"{name}.npz")]
        assert sum(line["attack"] == kind for line in answers) >= 7, name
        signals = [line["signal_label"] for line in answers]
        assert sum(a == b for a, b in zip(signals, labels, strict=True)) >= 6, name


def test_the_guess_whether_an_image_is_attacked(trained: Bundle) -> None:
    """Of attacked images most are known from x' alone; the file's word goes first."""
    with np.load(FOREIGN / "attacked.npz") as stored:
        attacked = {kind: stored[f"mnist_{kind}"] for kind in ("linf", "l2", "l1")}
    for kind, pixels in attacked.items():
        guesses = [guess_attacked(trained, as_taken(one / 255)) for one in pixels]
        assert sum(answer for answer, _ in guesses) >= 18
        assert sum(f"finds {kind} (" in why for _, why in guesses) >= 16
    clean = trained.examples.images[:40]
    guesses = [guess_attacked(trained, Intake(image, ())) for image in clean]
    assert sum(answer for answer, _ in guesses) <= 4
    said = guess_attacked(trained, Intake(clean[0], (), attacked=True))
    assert said == (True, "The file says that its image is attacked.")
    assert guesses[0][1].startswith("A network that knows attacked images finds none (")


def as_taken(pixels: np.ndarray) -> Intake:
    return Intake(torch.from_numpy(pixels.astype(np.float32))[None], ())
