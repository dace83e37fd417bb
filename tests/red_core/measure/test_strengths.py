"""The final table: its rows, what is measured again, and the figures drawn from it."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import red_core.cli.results
import red_core.measure.strengths
from red_core.algorithm.presets import DCGAN, OWN, PRESETS, presets_of
from red_core.cli import main
from red_core.data.assets import AssetError, record
from red_core.data.datasets import DATASETS
from red_core.measure.accuracy import EvaluationSettings, files_used, report_key
from red_core.measure.intervals import share
from red_core.measure.result_store import images_digest, stored
from red_core.measure.strengths import (
    ABLATION,
    RESULTS,
    Row,
    ablation_rows,
    changes_of,
    measure,
    rows_of,
)
from red_core.readme.documents import DOCUMENTS
from red_core.readme.render import between, block, insert, render
from red_core.run.bundle import Bundle, load_bundle

BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"
RULES = ("signal", "psi_signal", "attack", "block_attack", "adversarial")


def report(bundle: Bundle, settings: EvaluationSettings, right: int = 3) -> dict:
    """A report as `evaluate` makes one, with every share right of n."""
    attack, n = settings.attack_settings(), settings.examples
    solver = json.loads(json.dumps(asdict(settings.run.solver_options())))
    return {
        "n": settings.examples,
        "seconds": 2.0,
        **{f"{rule}_accuracy": share(right, settings.examples) for rule in RULES},
        "source": bundle.examples.source,
        "settings": {
            "dataset": settings.run.dataset,
            "preset": settings.run.preset,
            "attack": settings.run.attack,
            "eps_scale": settings.eps_scale,
            "seed": settings.run.seed,
        },
        "resolved": {"attack": None if attack is None else asdict(attack), "solver": solver},
        "assets": files_used(settings.run),
        "key": report_key(settings, "cpu", images_digest(bundle.examples, n)),
        "command": settings.as_command(),
    }


@pytest.fixture
def bundle(toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """Toy assets of its own, into which a test may write."""
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    return load_bundle("mnist")


ROWS = rows_of("mnist")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rows that were measured; the measurement itself is replaced."""
    keys: list[str] = []

    def evaluate(bundle: Bundle, settings: EvaluationSettings, work: Path) -> dict:
        run = settings.run
        row = Row(run.preset, run.attack, settings.eps_scale, "", run.generator, run.solver)
        keys.append(row.key)
        return report(bundle, settings)

    monkeypatch.setattr(red_core.measure.strengths, "evaluate", evaluate)
    return keys


def keys(preset: str) -> list[str]:
    attacks = ("linf", "l2", "l1")
    return [f"{preset}/{attack}/{scale}" for scale in ("0.5", "1.5") for attack in attacks]


def test_the_rows_of_the_table() -> None:
    assert [row.key for row in ROWS] == keys("best")
    assert [row.key for row in rows_of("cifar10")] == [*keys("best"), *keys("bsd-dp")]


def test_rows_are_kept_as_they_come_and_not_measured_twice(
    bundle: Bundle, measured: list[str], tmp_path: Path
) -> None:
    seen: list[int] = []
    announce = lambda _: seen.append(len(stored("mnist", RESULTS)))  # noqa: E731
    measure({OWN: bundle}, ROWS[:3], 5, 5, 0, tmp_path, announce=announce)
    assert measured == ["best/linf/0.5", "best/l2/0.5", "best/l1/0.5"]
    assert seen == [1, 2, 3]  # each was on disk when it was announced
    measure({OWN: bundle}, ROWS[:4], 5, 5, 0, tmp_path)
    assert measured[3:] == ["best/linf/1.5"]
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path, again=True)
    assert measured[4:] == ["best/linf/0.5"]


def test_what_has_changed_is_measured_again(
    bundle: Bundle, measured: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    for changes in ({"examples": 6}, {"seed": 1}):
        measured.clear()
        examples, seed = changes.get("examples", 5), changes.get("seed", 0)
        measure({OWN: bundle}, ROWS[:1], examples, 5, seed, tmp_path)
        assert measured == ["best/linf/0.5"]
        measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    measured.clear()
    record("mnist", "generator.safetensors", command="x")  # the same file: nothing to do
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    assert measured == []
    file = tmp_path / "assets" / "mnist" / "generator.safetensors"
    file.write_bytes(file.read_bytes() + b" ")
    record("mnist", "generator.safetensors", command="x")
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    assert measured == ["best/linf/0.5"]
    measured.clear()
    slower = replace(PRESETS["best"], steps=9)
    monkeypatch.setitem(PRESETS, "best", slower)
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    assert measured == ["best/linf/0.5"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_an_ablation_changes_one_thing_at_a_time(dataset: str) -> None:
    """Each row differs from `paper` in what its name says, alone; G is the paper's own."""
    rows = {row.key: row for row in ablation_rows(dataset)}
    assert len(rows) == 3 * len(changes_of(dataset))
    paper = presets_of(dataset)["paper"]
    plain = OWN if dataset == "cifar10" else DCGAN
    for change, (words, changed) in changes_of(dataset).items():
        row = rows[f"paper-{change}/l2/1" if change else "paper/l2/1"]
        run = row.settings(dataset, 5, 5, 0).run
        assert words
        assert run.generator == changed.get("generator", plain)
        options = {name: value for name, value in changed.items() if name != "generator"}
        assert run.solver_options() == replace(paper, **options)
        assert (run.solver_options() != paper) == bool(options)


def test_the_command_measures_the_ablation_with_both_generators(
    bundle: Bundle, measured: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    load = red_core.cli.results.load_bundle

    def noted(dataset: str, device: object, generator: str = OWN) -> Bundle:
        asked.append(generator)
        return load(dataset, device)

    monkeypatch.setattr(red_core.cli.results, "load_bundle", noted)
    monkeypatch.setattr(red_core.cli.results, "write", lambda root: [])
    words = ["results", "--ablation", "--examples", "5", "--work", str(tmp_path / "work")]
    assert main([*words, "--only", "paper/", "--only", "paper-own/l2"]) == 0
    assert sorted(asked) == [DCGAN, OWN]
    assert set(stored("mnist", ABLATION)) == {
        *(f"paper/{attack}/1" for attack in ("linf", "l2", "l1")),
        "paper-own/l2/1",
    }
    assert stored("mnist", RESULTS) == {}


def test_a_changed_results_file_is_noticed(
    bundle: Bundle, measured: list[str], tmp_path: Path
) -> None:
    measure({OWN: bundle}, ROWS[:1], 5, 5, 0, tmp_path)
    file = tmp_path / "assets" / "mnist" / RESULTS
    file.write_text(file.read_text().replace("0.6", "0.9"))
    with pytest.raises(AssetError, match="is damaged or truncated"):
        stored("mnist", RESULTS)


def test_the_command_measures_and_writes_the_documents(
    bundle: Bundle, measured: list[str], tmp_path: Path, capsys
) -> None:
    for name, wanted in DOCUMENTS.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        markers = (f"<!-- {each}:begin -->\nold\n<!-- {each}:end -->\n" for each in wanted)
        path.write_text(f"before\n{''.join(markers)}after\n")
    words = ["results", "--examples", "5", "--only", "best/", "--root", str(tmp_path / "root")]
    assert main([*words, "--work", str(tmp_path / "work")]) == 0
    assert len(measured) == 6
    results = tmp_path / "root/docs/results.md"
    text = results.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert between(text) == render("mnist", stored("mnist", RESULTS), {})
    assert main([*words, "--render"]) == 0
    assert results.read_text() == text
    assert len(measured) == 6


def table(bundle: Bundle) -> dict:
    """The attacks right in 30, 60 and 90 of 100."""
    right = {"linf": 30, "l2": 60, "l1": 90}
    return {
        row.key: report(bundle, row.settings("mnist", 100, 50, 0), right[row.attack])
        for row in ROWS
    }


def cells(text: str, words: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {words} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_figures(bundle: Bundle) -> None:
    wide = replace(bundle, examples=replace(bundle.examples, source="MNIST test"))
    text = render("mnist", table(wide), {})
    figures = ["30.0", "60.0", "90.0", "60.0 (54.4 to 65.4)"]
    for words in ("`best` at 0.5 eps", "the paper's rules at 1.5 eps"):
        assert cells(text, words)[1:] == [*figures, *figures]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {10}
    assert "first 100 images of MNIST test" in text


def test_a_mean_needs_all_three_attacks(bundle: Bundle) -> None:
    some = {key: value for key, value in table(bundle).items() if key != "best/l2/0.5"}
    assert cells(render("mnist", some, {}), "`best` at 0.5 eps")[1:5] == ["30.0", "", "90.0", ""]


def test_speed() -> None:
    speed = {
        "throughput_ratio": 7.25,
        "objective_ratio": 0.98765,
        "peak_share": 0.41,
        "paper_seconds": 4.26,
        "best_seconds": 2.0,
        "device": "cpu",
        "details": {"batch": 32, "preset": "best"},
        "provenance": {"threads": 2},
    }
    text = render("mnist", {}, speed)
    for figure in ("7.2 times", "0.988", "41%", "4.3 s", "2.0 s", "cpu, 2 threads"):
        assert figure in text


def test_nothing_measured_is_nothing_claimed() -> None:
    assert render("mnist", {}, {}) == ""
    assert insert(f"a\n{BEGIN}\nold\n{END}\nb", "") == f"a\n{BEGIN}\n{END}\nb"


def test_a_document_without_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no lines"):
        insert("no markers", "x")
    with pytest.raises(ValueError, match="no lines"):
        insert(f"{END}\nno beginning", "x")


def test_each_data_set_has_its_own_commands_and_block(bundle: Bundle) -> None:
    text = render("fashion", table(bundle), {})
    assert "`python -m red_core results --dataset fashion`" in text
    both = f"{BEGIN}\ndigits\n{END}\n<!-- numbers-fashion:begin -->\n<!-- numbers-fashion:end -->"
    clothes = insert(both, "clothes", block("fashion"))
    assert between(clothes) == "digits"
    assert between(clothes, block("fashion")) == "clothes"


@pytest.mark.parametrize("dataset", DATASETS)
def test_kept_rows_repeat_with_the_command_they_name(dataset: str) -> None:
    for key, kept in stored(dataset, RESULTS).items():
        row = next(row for row in rows_of(dataset) if row.key == key)
        seed = kept["settings"]["seed"]
        assert kept["command"] == row.settings(dataset, kept["n"], 50, seed).as_command()
        json.dumps(kept, allow_nan=False)
