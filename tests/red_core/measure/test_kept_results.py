"""The kept results of assets/: all are current, and what a new key may and may not be given to."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import red_core.measure.kept_results as kept
from red_core.algorithm import presets
from red_core.cli import main
from red_core.data.assets import (
    AssetError,
    assets_root,
    read_json,
    read_manifest,
    record,
    write_tensors,
)
from red_core.measure.intervals import share
from red_core.measure.kept_results import kept_results, rekey
from red_core.measure.speed import timed_options
from red_core.measure.strengths import SPEED
from red_core.measure.tables import summarise
from red_core.measure.tables.measure_table import cell_key
from red_core.measure.theory_keys import theory_key
from red_core.measure.unknown import unseen_attacks
from red_core.measure.unknown.measure_unknown import entry_key

ASSETS = Path(__file__).resolve().parents[3] / "assets"
FOLDERS = ("mnist", "fashion", "cifar10", "theory")
NOW = "c" * 40


def test_every_kept_result_is_current() -> None:
    """Without the official test sets in RED_DATA, all but the content of their images is compared.

    Where only code has changed: show that its answers are equal, then `rekey`.
    """
    stale = [
        f"{result.where}: other {', '.join(other)}. If only code differs and its answers were "
        f"shown to be equal: `python -m red_core rekey`; else measure: `{result.command}`"
        for result in kept_results()
        if (other := result.differences())
    ]
    assert not stale, "\n".join(stale)


def test_no_measured_file_is_without_a_key() -> None:
    derived = ("table", "manifest")  # tables are drawn from the answers
    named = {(result.dataset, result.name) for result in kept_results()}
    for folder in FOLDERS:
        for path in (ASSETS / folder).glob("*.json"):
            if not path.name.startswith(derived):
                assert (folder, path.name) in named, path


@pytest.mark.parametrize(
    ("dataset", "number"),
    [("mnist", "1"), ("mnist", "4"), ("fashion", "5"), ("cifar10", "2"), ("cifar10", "6")],
)
def test_the_tables_are_drawn_from_the_answers(dataset: str, number: str) -> None:
    answers = read_json(dataset, f"answers{number}.json")
    assert json.loads(json.dumps(summarise(answers))) == read_json(dataset, f"table{number}.json")


def test_the_kept_intervals_are_those_of_the_counts() -> None:
    """So that the code of the intervals needs no place in the keys."""
    checked = 0
    for result in kept_results():
        if result.name in ("results.json", "unknown.json"):
            for part in result.entry.values():
                if isinstance(part, dict) and set(part) == {"value", "low", "high"}:
                    right = round(part["value"] * result.count)
                    assert part == pytest.approx(share(right, result.count))
                    checked += 1
    assert checked > 100


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kept results and the bundled images, to write into; no official test set."""
    for folder in FOLDERS:
        (tmp_path / "assets" / folder).mkdir(parents=True)
        for path in (ASSETS / folder).iterdir():
            if path.suffix == ".json" or path.name == "examples.safetensors":
                shutil.copy(path, tmp_path / "assets" / folder)
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("RED_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(kept, "commit", lambda: NOW)
    kept._official.cache_clear()
    yield tmp_path / "assets"
    kept._official.cache_clear()


def edit(dataset: str, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a kept file and its manifest entry."""
    content = read_json(dataset, name)
    change(content)
    path = assets_root() / dataset / name
    path.write_text(json.dumps(content, indent=1) + "\n")
    entry = {k: v for k, v in read_manifest(dataset)[name].items() if k not in ("sha256", "bytes")}
    record(dataset, name, **entry)


def older(content: Any) -> None:
    """Make all keys of a file those of other code."""
    if isinstance(content, dict):
        if "code" in content and "settings" in content and "images" in content:
            content["code"] = "of other code"
        for part in content.values():
            older(part)


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def stale() -> list[str]:
    return [
        f"{result.where} {other}" for result in kept_results() if (other := result.differences())
    ]


def test_other_code_gets_a_new_key_and_nothing_else(assets: Path) -> None:
    whole = everything(assets)
    for dataset, name in (("mnist", "answers1.json"), ("fashion", "results.json")):
        edit(dataset, name, older)
    edit("theory", "figure1.json", older)
    assert stale()
    before = {name: read_manifest(name) for name in FOLDERS}
    assert rekey() == ["mnist/answers1.json", "fashion/results.json", "theory/figure1.json"]
    assert stale() == []
    now = everything(assets)
    assert {n for n in now if now[n] != whole[n]} <= {f"{f}/manifest.json" for f in FOLDERS}
    entry, old = read_manifest("theory")["figure1.json"], before["theory"]["figure1.json"]
    assert entry["rekeyed"]["command"] == "python -m red_core rekey"
    assert entry["rekeyed"]["after"] == NOW
    assert entry["rekeyed"]["before"]
    assert entry["command"] == old["command"]
    assert rekey() == [], "a second time changes nothing"


@pytest.mark.parametrize("dirty", [True, False])
def test_uncommitted_code_gets_no_keys(
    assets: Path, monkeypatch: pytest.MonkeyPatch, dirty: bool
) -> None:
    edit("theory", "figure1.json", older)
    monkeypatch.setattr(kept, "commit", lambda: NOW + "+" if dirty else None)
    if dirty:
        with pytest.raises(AssetError, match="commit the code first"):
            rekey()
    else:  # no checkout: nobody can know
        assert rekey() == ["theory/figure1.json"]


def other_weights(assets: Path) -> None:
    manifest = read_manifest("mnist")
    manifest["generator.safetensors"]["sha256"] = "f" * 64
    (assets / "mnist" / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def other_images(assets: Path) -> None:
    images = torch.zeros(400, 1, 28, 28, dtype=torch.uint8)
    labels = torch.zeros(400, dtype=torch.uint8)
    stored = {"images": images, "labels": labels}
    write_tensors("mnist", "examples.safetensors", stored, command="python -m red_core recipe")


def other_settings(assets: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["best/linf/0.5"]["resolved"]["solver"]["steps"] += 1

    edit("mnist", "results.json", change)


def other_seed(assets: Path) -> None:
    edit("mnist", "answers4.json", lambda content: content.update(seed=1))


def no_images(assets: Path) -> None:
    """A new result of another version, whose images nobody knows without the official test set."""
    edit("mnist", "assumption.json", lambda content: content.pop("key"))


@pytest.mark.parametrize(
    ("change", "what", "where"),
    [
        (other_weights, "files", "mnist/answers1.json psi/linf/bsd-gan-best"),
        (other_images, "images", "mnist/answers1-bundled.json psi/linf/cnn"),
        (other_settings, "settings", "mnist/results.json best/linf/0.5"),
        (other_seed, "settings", "mnist/answers4.json psi/linf/bsd-gan-paper"),
        (no_images, "images", "mnist/assumption.json"),
    ],
)
def test_what_is_not_only_other_code_is_refused(
    assets: Path, change: Callable[[Path], None], what: str, where: str, capsys
) -> None:
    edit("theory", "figure1.json", older)
    change(assets)
    before = everything(assets)
    with pytest.raises(AssetError) as caught:
        rekey()
    assert f"{where} (other {what}" in str(caught.value)
    assert everything(assets) == before, "also what could have had a key is left alone"
    assert main(["rekey"]) == 1
    assert main(["rekey", "--check"]) == 1
    assert f"{where}: other" in capsys.readouterr().out


def test_an_option_that_was_added_since_is_no_other_setting(assets: Path) -> None:
    edit(
        *("mnist", "results.json"),
        lambda content: content["best/linf/0.5"]["resolved"]["solver"].pop("inner"),
    )
    assert stale() == []


def test_all_that_decides_a_cell_moves_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(place=("psi", "linf", "bsd-gan-best"), seed=0, count=10, device="cpu") -> str:
        return json.dumps(cell_key(place, "mnist", seed, count, device))

    keys = [
        key(),
        key(("white-box", "linf", "bsd-gan-best")),
        key(("psi", "l2", "bsd-gan-best")),
        key(("psi", "linf", "bsd-gan-paper")),
        key(seed=1),
        key(device="cuda"),
    ]
    best = presets.PRESETS["best"]
    monkeypatch.setitem(presets.PRESETS, "best", replace(best, steps=best.steps + 1))
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key(("psi", "linf", "bsd-gan-best/rules")) == keys[-1], "the same run, read otherwise"


def test_a_preset_that_is_timed_decides_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    content = read_json("mnist", SPEED)
    content["details"]["timed"] = timed_options("mnist")

    def faults() -> list[bool]:
        first, *_ = kept._speed("mnist", SPEED, content)
        return [recorded != today for recorded, today in first.recorded]

    assert not any(faults())
    paper = presets.PRESETS["paper"]
    monkeypatch.setitem(presets.PRESETS, "paper", replace(paper, steps=paper.steps + 1))
    assert faults() == [False, False, True]


def test_all_that_decides_an_entry_moves_its_key() -> None:
    attacks = unseen_attacks("mnist")
    fgsm = attacks["fgsm"]
    keys = [
        entry_key("mnist", fgsm, 10, 0, "cpu"),
        entry_key("mnist", attacks["ddn"], 10, 0, "cpu"),
        entry_key("mnist", replace(fgsm, settings={"eps": 0.2}), 10, 0, "cpu"),
        entry_key("mnist", fgsm, 10, 1, "cpu"),
        entry_key("mnist", fgsm, 10, 0, "cuda"),
    ]
    assert len({key["settings"] for key in keys}) == len(keys)


def test_the_command_and_the_study_decide_the_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    import red_core.measure.theory_keys as theory

    command = "python -m red_core theory figure1"
    keys = [theory_key("figure1", command), theory_key("figure1", f"{command} --seeds 2")]
    figure = replace(theory.FIGURE_1, options=replace(theory.FIGURE_1.options, steps=9))
    monkeypatch.setattr(theory, "FIGURE_1", figure)
    keys.append(theory_key("figure1", command))
    assert len({key["settings"] for key in keys}) == 3
