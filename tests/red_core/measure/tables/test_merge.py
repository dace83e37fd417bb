"""A kept table grows cell by cell."""

from typing import Any

import pytest

from red_core.measure.tables.merge import check_seed, merge
from red_core.run.settings import SettingsError

FILES = {"a.safetensors": "1", "b.safetensors": "2"}


def cell(n: int, file: str = "a.safetensors", sha: str = "1", run: int = 0) -> dict[str, Any]:
    return {"n": n, "signal": "7" * n, "attack": None, "files": {file: sha}, "run": run}


def record(command: str, n: int, cells: dict[str, dict[str, Any]], **other: Any) -> dict[str, Any]:
    return {
        "table": "1",
        "source": "MNIST test",
        "seed": 0,
        "runs": [{"command": command}],
        "missing": {},
        "blocks": {"psi": {"linf": cells}},
        "true": "7" * n,
    } | other


def linf(merged: dict[str, Any]) -> dict[str, Any]:
    return merged["blocks"]["psi"]["linf"]


def test_the_first_is_kept_as_it_is() -> None:
    new = record("one", 5, {"cnn": cell(5)})
    assert merge(None, new, FILES) == new


def test_cells_join_and_keep_their_runs() -> None:
    merged = merge(record("one", 5, {"cnn": cell(5)}), record("two", 9, {"msd": cell(9)}), FILES)
    assert {key: part["n"] for key, part in linf(merged).items()} == {"cnn": 5, "msd": 9}
    assert [merged["runs"][part["run"]]["command"] for part in linf(merged).values()] == [
        "one",
        "two",
    ]
    assert merged["true"] == "7" * 9


def test_more_images_win_and_fewer_do_not() -> None:
    few, many = record("few", 5, {"cnn": cell(5)}), record("many", 9, {"cnn": cell(9)})
    assert linf(merge(many, few, FILES))["cnn"]["n"] == 9
    assert linf(merge(few, many, FILES))["cnn"]["n"] == 9
    # What no cell is of any more is forgotten.
    assert merge(few, many, FILES)["runs"] == [{"command": "many"}]
    assert merge(many, few, FILES)["runs"] == [{"command": "many"}]


def test_a_cell_of_other_weights_is_dropped() -> None:
    kept = record("one", 9, {"cnn": cell(9, sha="0"), "msd": cell(9)})
    merged = merge(kept, record("two", 5, {"cnn": cell(5)}), FILES)
    assert {key: part["n"] for key, part in linf(merged).items()} == {"msd": 9, "cnn": 5}
    merged = merge(kept, record("two", 5, {"sbsc": cell(5)}), FILES)
    assert set(linf(merged)) == {"msd", "sbsc"}
    gone = record("one", 9, {"cnn": cell(9, file="c.safetensors")})
    assert set(linf(merge(gone, record("two", 5, {"msd": cell(5)}), FILES))) == {"msd"}


def test_other_images_begin_anew() -> None:
    kept = record("one", 9, {"cnn": cell(9)}, source="400 bundled examples")
    new = record("two", 5, {"msd": cell(5)})
    assert merge(kept, new, FILES) == new


def test_another_seed_is_refused() -> None:
    kept = record("one", 9, {"cnn": cell(9)})
    with pytest.raises(SettingsError, match="have seed 0; those of seed 3"):
        merge(kept, record("two", 9, {"cnn": cell(9)}, seed=3), FILES)
    check_seed(kept, 0)


def test_a_method_that_came_is_missing_no_longer() -> None:
    kept = record("one", 5, {"cnn": cell(5)}, missing={"msd": "not there", "sbsc": "not there"})
    merged = merge(kept, record("two", 5, {"msd": cell(5)}), FILES)
    assert merged["missing"] == {"sbsc": "not there"}


def keyed(n: int, code: str = "c", images: str = "i") -> dict[str, Any]:
    return cell(n) | {"key": {"code": code, "settings": "s", "images": images}}


def test_a_new_cell_of_other_code_wins_with_fewer_images() -> None:
    kept = record("old", 9, {"cnn": keyed(9, "old"), "msd": keyed(9, "old")})
    merged = linf(merge(kept, record("new", 5, {"cnn": keyed(5, "new")}), FILES))
    assert {key: part["n"] for key, part in merged.items()} == {"cnn": 5, "msd": 9}


def test_answers_on_other_images_or_labels_do_not_join() -> None:
    kept = record("old", 5, {"msd": keyed(5)})
    assert set(linf(merge(kept, record("new", 5, {"cnn": keyed(5)}), FILES))) == {"cnn", "msd"}
    for new in (
        record("repaired", 9, {"cnn": keyed(9)}, true="7778" + "7" * 5),
        record("other images", 5, {"cnn": keyed(5, images="j")}),
    ):
        assert merge(kept, new, FILES) == new
