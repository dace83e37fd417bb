"""A table's files in the assets."""

from pathlib import Path

import pytest

from red_core.data.assets import AssetError, read_manifest
from red_core.measure.tables import (
    Request,
    check_keepable,
    keep_answers,
    load_answers,
    load_table,
    summarise,
)
from red_core.run.provenance import asset_checksums
from red_core.run.settings import SettingsError


@pytest.fixture
def current(toy_tables: Path, record: dict) -> dict:
    """The record, of today's classifier."""
    sha = asset_checksums("mnist")["classifier.safetensors"]
    for by_attack in record["blocks"].values():
        for by_entry in by_attack.values():
            for cell in by_entry.values():
                cell["files"] = {"classifier.safetensors": sha}
    return record


@pytest.mark.usefixtures("toy_tables")
def test_nothing_was_measured_yet() -> None:
    assert load_table("1") is None
    assert load_answers("5") is None
    assert load_answers("4", "bundled") is None
    check_keepable(Request("1", seed=9))


def test_a_table_is_its_answers_summed_up(current: dict) -> None:
    table = keep_answers(Request("1", examples=20), current)
    assert load_answers("1") == current
    assert load_table("1") == table == summarise(current)
    command = "python -m red_core evaluate --table 1 --examples 20 --seed 0 --keep"
    assert read_manifest("mnist")["table1.json"]["command"] == command


def test_answers_on_bundled_examples_leave_the_table_alone(current: dict) -> None:
    keep_answers(Request("1", source="bundled"), current)
    assert load_table("1") is None
    assert load_answers("1") is None
    assert load_answers("1", "bundled") == current


def test_a_later_part_joins(current: dict) -> None:
    keep_answers(Request("1"), current)
    cell = current["blocks"]["psi"]["linf"]["cnn"]
    part = current | {"blocks": {"psi": {"linf": {"m-2": cell}}}, "missing": {}}
    table = keep_answers(Request("1", methods=("m-2",)), part)
    assert {"cnn", "m-2"} <= set(table["blocks"]["psi"]["linf"])
    assert load_table("1") == table


def test_what_other_weights_answered_goes(current: dict) -> None:
    cell = current["blocks"]["psi"]["linf"]["cnn"]
    old = current["blocks"]["psi"]["l2"]["cnn"]
    old["files"] = {"classifier.safetensors": "0" * 64}
    keep_answers(Request("1"), current)
    part = current | {"blocks": {"psi": {"linf": {"cnn": cell}}}}
    table = keep_answers(Request("1"), part)
    assert "cnn" not in table["blocks"]["psi"]["l2"]
    assert "cnn" in table["blocks"]["psi"]["l1"]


def test_a_damaged_file_is_noticed(current: dict, toy_tables: Path) -> None:
    keep_answers(Request("1"), current)
    file = toy_tables / "mnist" / "table1.json"
    file.write_text(file.read_text().replace("0.95", "0.99"))
    with pytest.raises(AssetError, match="is damaged or truncated"):
        load_table("1")


def test_another_seed_is_refused_before_the_work(current: dict) -> None:
    keep_answers(Request("1"), current)
    with pytest.raises(SettingsError, match="have seed 0; those of seed 4"):
        check_keepable(Request("1", seed=4))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(SettingsError, match="unknown table '3': choose 1, 2, 4, 5, 6"):
        load_table("3")
    with pytest.raises(SettingsError, match="unknown source 'mine'"):
        load_answers("1", "mine")
