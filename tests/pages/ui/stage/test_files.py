"""What a run is saved as."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from pages.ui.live.live_run import LiveRun
from pages.ui.stage import files
from red_core.recording.record_file import read_run


def test_names_say_what_is_inside(run) -> None:
    assert files.file_name(run.settings, "gif") == "red-mnist-image3-l1-best.gif"


def test_the_film_is_wide_enough_for_a_slide(run) -> None:
    film = Image.open(io.BytesIO(files.make(run, "gif")))
    assert film.format == "GIF"
    assert film.width >= 640
    assert film.n_frames == 18


def test_the_arrays_add_up_and_say_how_they_were_made(run) -> None:
    kept = np.load(io.BytesIO(files.make(run, "npz")))
    parts = kept["signal"] + kept["perturbation"] + kept["residual"]
    assert np.allclose(parts, kept["attacked"], atol=1e-5)
    assert kept["path_k"].tolist() == list(range(18))
    assert json.loads(str(kept["settings"]))["settings"]["attack"] == "l1"


def test_the_report_and_the_frames(run) -> None:
    report = json.loads(files.make(run, "json"))
    assert (report["steps"], report["true_label"]) == (17, 3)
    assert Image.open(io.BytesIO(files.make(run, "png"))).format == "PNG"


def test_the_record_is_read_again(run) -> None:
    read = read_run(files.make(run, "red"))
    assert read.header["settings"]["index"] == "3"
    assert read.events[-1]["event"] == "theory"


def test_the_page_that_replays_a_run_asks_nobody_for_anything(run) -> None:
    page = files.make(run, "html").decode()
    assert len(page) < 2_000_000
    assert not re.search(r"""(src|href)=|https?://(?!www\.w3\.org)""", page)
    assert not re.search(r'from "\./', page)
    imports = json.loads(re.search(r'type="importmap">(.*?)</script>', page).group(1))["imports"]
    assert set(imports) == {f"stage/{path.name}" for path in files.BROWSER.glob("*.js")}


def test_before_the_end_there_is_only_the_record(parts, settings) -> None:
    waiting = LiveRun(parts, settings, None, "two")
    for kind in ("png", "gif", "npz", "json", "html"):
        with pytest.raises(files.NotYetError):
            files.make(waiting, kind)


def test_the_bundled_stories_are_runs_of_todays_parts() -> None:
    from red_core.data.assets import checked_bytes, read_manifest

    told = files.stories()
    for dataset in ("mnist", "fashion", "cifar10"):
        mine = [story for story in told if story["dataset"] == dataset]
        assert len(mine) == 3
        for story in mine:
            entry = read_manifest(dataset)[story["name"]]
            blob = checked_bytes(dataset, story["name"])
            assert len(blob) < 400_000
            parts = {name: read_manifest(dataset)[name]["sha256"] for name in entry["parts"]}
            assert entry["parts"] == parts, "stale: make them anew with the manifest's command"
            run = read_run(blob)
            label = run.header["label"]
            reads = run.records["psi"][run.records["phase"] > 0].argmax(1)
            verdict = next(each for each in run.events if each["event"] == "verdict")
            assert reads[0] != label
            assert reads[-1] == verdict["signal"] == label
            assert verdict["attack"] == run.header["attack"]
            assert verdict["adversarial"] != label


def test_the_lessons_runs_are_of_todays_parts_and_show_what_the_lessons_say() -> None:
    from red_core.data.assets import checked_bytes, read_manifest

    manifest = read_manifest(files.LESSONS)
    verdicts, labels, last = {}, {}, {}
    for lesson in files.lessons():
        entry = manifest[lesson["name"]]
        parts = {name: manifest[name]["sha256"] for name in entry["parts"]}
        assert entry["parts"] == parts, f"stale: {entry['command']}"
        run = read_run(checked_bytes(files.LESSONS, lesson["name"]))
        name = lesson["name"].removeprefix("lesson-").removesuffix(".red")
        verdicts[name] = next(each for each in run.events if each["event"] == "verdict")
        labels[name] = run.header["label"]
        last[name] = run.records[-1]
    assert set(verdicts) == {
        *("alone", "both", "strong", "lambda-low", "lambda-high", "lambda-most"),
    }
    for name in ("alone", "strong"):
        assert verdicts[name]["signal"] != labels[name] != verdicts[name]["psi"]
    both = verdicts["both"]
    assert both["signal"] == both["psi"] == labels["both"] != both["adversarial"]
    assert both["attack"] == "linf"
    used = {name: int((record["energy"] > 0).sum()) for name, record in last.items()}
    assert used["lambda-low"] >= used["both"] >= used["lambda-high"] > used["lambda-most"] == 0
