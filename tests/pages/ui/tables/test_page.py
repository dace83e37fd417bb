"""The page "Tables" without a browser, with toy figures and without any."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.live import queue_status
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import section_angles
from red_core.algorithm.problem import AttackDictionary
from red_core.measure.identifiability import identifiability

APP = str(Path(__file__).resolve().parents[4] / "pages/main.py")


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("tables.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def headlines(app: AppTest) -> list[str]:
    return [str(header.value) for header in app.header]


def said(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.caption, *app.markdown])


def codes(app: AppTest) -> list[str]:
    return [str(code.value) for code in app.code]


def well(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def test_nothing_measured_is_a_sentence_with_the_command(unmeasured):
    app = well(opened())
    assert "Table 1 (MNIST) has not been measured here yet." in headlines(app)
    commands = codes(app)
    for words in ("evaluate --table 1", "assumption --dataset mnist", "unknown --dataset mnist"):
        assert any(words in command and "--keep" in command for command in commands)
    assert "no answers to show" in headlines(app)[1]


def test_a_data_set_without_any_file_is_no_crash(unmeasured):
    app = well(opened(dataset="fashion", cell="class.1.1"))
    assert "Table 5 (Fashion-MNIST) has not been measured here yet." in headlines(app)
    assert any("assumption --dataset fashion" in command for command in codes(app))


def test_the_blocks_are_compared_when_somebody_asks(measured, monkeypatch):
    section_angles.kept().clear()
    draw = torch.Generator().manual_seed(0)
    deltas = torch.randn(10, 3, 2, 784, generator=draw, dtype=torch.float64)
    small = AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1"))
    monkeypatch.setattr(section_angles, "dictionary_of", lambda dataset: small)
    reported = list[int]()

    def in_turn(aim: str, title: str, work: Callable[[Callable[[int], None]], Any]) -> Any:
        return queue_status.in_turn(aim, title, lambda _: work(reported.append))

    monkeypatch.setattr(section_angles, "in_turn", in_turn)
    app = well(opened())
    assert "When must an attack's type be named right?" in headlines(app)
    app.button("tables-angles").click().run()
    well(app)
    found = identifiability(small)
    least = found.margin.amin(1)
    name = ATTACK_LABELS[found.attacks[int(least.argmin())]]
    wanted = (
        f"The margin is smallest for {name}: {float(least.min()):.1%} of what its block explains."
    )
    assert wanted in headlines(app)
    assert f"leaves over less than {float(least[0]):.1%} of what it explains" in said(app)
    assert app.button("tables-angles").disabled
    blocks = found.margin.numel()
    assert len(reported) >= blocks, "between two, the script ends where somebody left the page"
    assert wanted in headlines(opened()), "the next visitor finds it"
    section_angles.kept().clear()


def test_the_page_shows_all_its_parts(measured):
    app = well(opened())
    assert not app.warning
    table, matrices, assumption, angles, starts, unknown = headlines(app)
    assert angles == "When must an attack's type be named right?"
    assert table.startswith("BSD-GAN best reads ")
    assert matrices.startswith("BSD-GAN best under ℓ∞: ")
    assert "of an unseen attack over" in assumption
    assert starts == "Does an inversion end in the right class, whatever class it began in?"
    assert "attacks nobody trained for" in unknown
    assert "adversarial training" in said(app)
    assert any("evaluate --table 1" in command for command in codes(app))
    assert app.query_params["table"] == "1"


def test_without_the_official_images_the_bundled_ones_are_shown_and_it_is_said(measured):
    app = well(opened())
    assert "Counted on 12 toy examples" in said(app)
    assert "not on this machine" in said(app)


def test_official_answers_without_images_list_numbers(measured):
    app = well(opened(images="official", cell="class.3.3"))
    assert "Counted on a toy test set" in said(app)
    assert "a click lists their numbers" in said(app)
    assert "Test images " in said(app) or "No images of a 3" in said(app)


def test_a_link_opens_a_cell_and_one_of_its_images(measured):
    answers = json.loads((measured / "mnist" / "answers1-bundled.json").read_text())
    given = answers["blocks"]["psi"]["l2"]["bsd-gan-best"]["signal"]
    index = next(i for i, (a, b) in enumerate(zip(answers["true"], given, strict=True)) if a == b)
    label = given[index]
    app = well(opened(attack="l2", cell=f"class.{label}.{label}", index=str(index)))
    assert f"of a{'n' if label == '8' else ''} {label} read right by BSD-GAN best" in said(app)
    assert f"Example {index}," in said(app)
    assert app.query_params["index"] == str(index)


def test_the_attacks_matrix_tells_of_its_rows_attack(measured):
    app = well(opened(cell="attack.3.3"))
    assert "without an attack in which BSD-GAN best finds no attack" in said(app)


def test_the_data_set_switch_leads_to_the_other_table_and_back(measured):
    app = well(opened(method="bsd-gan-best/rules"))
    app.segmented_control[0].set_value("fashion").run()
    well(app)
    assert app.query_params["table"] == "5"
    assert app.query_params["method"] == "bsd-gan-best/rules"
    assert "Table 5 (Fashion-MNIST) has not been measured here yet." in headlines(app)
    app.segmented_control[0].set_value("mnist").run()
    assert app.query_params["table"] == "1"


def test_table_4_shows_differences(measured):
    app = well(opened(table="4"))
    assert headlines(app)[0].startswith("A smooth G moves no figure by more than ")
    assert "paired difference" in said(app)


def test_a_method_that_answers_no_attack_has_an_empty_matrix(measured):
    app = well(opened(method="msd", block="white-box"))
    assert headlines(app)[1].startswith("MSD under ℓ∞: ")
    assert "attacks named right" not in headlines(app)[1]
    app = well(opened(method="type-cnn", block="white-box"))
    assert "has no network of its own" in said(app)


def test_another_method_is_taken_and_the_chosen_cell_goes(measured):
    app = well(opened(cell="class.3.3"))
    app.selectbox[0].set_value("msd").run()
    well(app)
    assert app.query_params["method"] == "msd"
    assert "cell" not in app.query_params
    assert headlines(app)[1].startswith("MSD")


def test_a_bad_link_is_told_and_the_rest_stands(measured):
    app = well(opened(method="gan", attack="l1"))
    assert [warning.value.split(":")[0] for warning in app.warning] == [
        "The link's method is left out"
    ]
    assert "under ℓ1" in headlines(app)[1]


@pytest.mark.parametrize("name", ["table1.json", "answers1-bundled.json", "unknown.json"])
def test_a_damaged_file_is_one_sentence(measured, name: str):
    (measured / "mnist" / name).write_text("{")
    app = opened()
    assert not app.exception
    assert any(name in error.value for error in app.error)


def test_a_damaged_official_set_is_named_with_the_cure_and_not_replaced(
    measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (raw / f"{split}-{kind}-ubyte").touch()
    monkeypatch.setenv("RED_DATA", str(tmp_path / "data"))
    answers = json.loads((measured / "mnist" / "answers1.json").read_text())
    given = answers["blocks"]["psi"]["l2"]["bsd-gan-best"]["signal"]
    label = next(a for a, b in zip(answers["true"], given, strict=True) if a == b)
    app = opened(images="official", attack="l2", cell=f"class.{label}.{label}")
    assert not app.exception
    (told,) = [warning.value for warning in app.warning]
    assert "ubyte" in told
    assert "it holds 0 bytes" in told
    assert "download=True" in told
    assert "Counted on a toy test set" in said(app)
    assert "Test images " in said(app), "their numbers, without pictures of another set"
    for path in raw.iterdir():
        path.unlink()
    app.run()
    assert not app.warning, "what has changed is seen without a new server"


def test_every_control_has_help(measured):
    app = well(opened())
    controls = [*app.segmented_control, *app.selectbox]
    assert len(controls) == 6
    assert [one.label for one in controls if not one.help] == []
