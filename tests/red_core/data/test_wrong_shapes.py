"""Manifests and kept results that are valid JSON and nothing else: one line, or made anew."""

import json
import shutil
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.data.assets import AssetError, read_json, read_manifest, record
from red_core.measure.result_store import read_kept

SHAPES = ["[]", "3", "null", '"text"', "[" * 20_000, "{", ""]


@pytest.fixture
def assets(toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may damage."""
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    return own / "mnist"


ENTRIES = [
    '{"x": 3}',
    '{"x": []}',
    '{"x": {"sha256": "0"}}',
    '{"x": {"command": "c"}}',
    '{"x": {"sha256": 1, "command": "c"}}',
]


@pytest.mark.parametrize("text", [*SHAPES, *ENTRIES])
def test_a_manifest_of_another_shape_is_one_line(assets: Path, capsys, text: str) -> None:
    (assets / "manifest.json").write_text(text)
    with pytest.raises(AssetError, match=r"manifest\.json is (not valid JSON|no manifest)"):
        read_manifest("mnist")
    for words in ("run", "evaluate --examples 2", "benchmark"):
        assert main(words.split()) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "restore it with git" in error
    assert main(["doctor"]) == 1
    assert "mnist/manifest.json: BAD" in capsys.readouterr().out


@pytest.mark.parametrize("attacks", [None, [], "linf", ["linf", "l2"]])
def test_a_dictionary_whose_attacks_are_not_named_is_one_line(
    assets: Path, capsys, attacks: object
) -> None:
    manifest = json.loads((assets / "manifest.json").read_text())
    entry = manifest["dictionary.safetensors"]
    entry["attacks"] = attacks
    (assets / "manifest.json").write_text(json.dumps(manifest))
    assert main(["run"]) == 1
    assert "the dictionary of mnist does not hold what its name says" in capsys.readouterr().err


@pytest.mark.parametrize("text", SHAPES)
def test_a_measured_file_of_another_shape_is_one_line(assets: Path, text: str) -> None:
    (assets / "x.json").write_text(text)
    record("mnist", "x.json", command="c")
    with pytest.raises(AssetError, match=r"x\.json (is not valid JSON|holds no values by name)"):
        read_json("mnist", "x.json")


@pytest.mark.parametrize("words", ["results --render", "rekey --check"])
def test_kept_results_of_another_shape_are_one_line(
    assets: Path, tmp_path: Path, capsys, words: str
) -> None:
    for name in ("results.json", "benchmark.json", "table1.json", "unknown.json"):
        (assets / name).write_text('{"rows": 3, "tables": [], "entries": "x", "attacks": 7}')
        record("mnist", name, command="c")
    root = tmp_path / "documents"
    (root / "docs").mkdir(parents=True)
    status = main([*words.split(), *(["--root", str(root)] if "--render" in words else [])])
    error = capsys.readouterr().err
    assert status in (1, 2)
    assert error.count("\n") <= 1


@pytest.mark.parametrize(
    "text",
    [
        *SHAPES,
        "{}",
        '{"seconds": "long", "true": [1, 2]}',
        '{"seconds": 1, "true": [1]}',
        '{"seconds": 1, "true": "12"}',
    ],
)
def test_kept_answers_of_another_shape_are_made_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    assert read_kept(path, 2, ("true",)) is None
    path.write_text('{"seconds": 1, "true": [1, 2]}')
    assert read_kept(path, 2, ("true",)) == {"seconds": 1, "true": [1, 2]}
    assert read_kept(tmp_path / "none", 2, ()) is None


def test_an_evaluation_goes_on_over_spoilt_answers(assets: Path, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "o.json"
    quick = ["--set", "restarts=1", "--set", "start_steps=1", "--set", "steps=2"]
    words = ["evaluate", "--attack", "none", "--examples", "2", "--work", str(work), *quick]
    assert main([*words, "--json", str(out)]) == 0
    first = json.loads(out.read_text())
    for path in work.rglob("*.json"):
        path.write_text("[1, 2]")
    assert main([*words, "--json", str(out)]) == 0
    again = json.loads(out.read_text())
    assert again["attack_answers"] == first["attack_answers"]
