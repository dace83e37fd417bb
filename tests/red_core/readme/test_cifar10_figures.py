"""The README's lines on CIFAR-10's models say what the manifest says."""

from __future__ import annotations

import copy
from typing import Any

from red_core.measure.intervals import share
from red_core.readme.cifar10_figures import render
from tests.red_core.purification_toys import SIGMAS, WAYS, toy_purification

MADE = {"scale": "cpu", "device": "cpu", "hours": 0.5, "parameters": 2_748_890}
ROW = {
    "psi_accuracy_on_inverted": share(400, 500),
    "mean_l2_distance": 1.234,
    "seconds_an_image": 1.5,
}
SHARES = {
    "linf": share(57, 60),
    "l2": share(54, 60),
    "l1": share(60, 60),
    "none": share(48, 60),
}
MANIFEST: dict[str, Any] = {
    "classifier.safetensors": MADE | {"measured": {"test_accuracy": 0.91, "test_images": 10_000}},
    "generator.safetensors": MADE
    | {
        "measured": {
            "inversion": ROW
            | {
                "test_images": 500,
                "steps": 500,
                "psi_accuracy_on_clean": share(455, 500),
                "by_steps": {"50": ROW, "500": ROW | {"mean_l2_distance": 0.987}},
                "command": "recipe --only inversion",
            },
            "fidelity": {
                "images": 10_000,
                "psi_reads_the_class_asked_for": share(5000, 10_000),
                "frechet_psi": 3.21,
                "frechet_psi_of_training_images": 0.12,
                "command": "recipe --only fidelity",
            },
        }
    },
    "diffusion.safetensors": MADE
    | {
        "measured": {
            "denoising_error": {"0.1": 0.04},
            "purification": toy_purification(),
        }
    },
    "dictionary.safetensors": {key: MADE[key] for key in ("scale", "device", "hours")}
    | {
        "measured": {
            "images_per_class": 200,
            "success_rate": {"linf": 1.0, "l2": 0.995, "l1": 0.9},
        }
    },
    "reader.safetensors": MADE
    | {
        "measured": {
            "held_out_images": 240,
            "weights": {"G(z)": 0.25, "D(x')": 0.5, "x'": 1.0},
            "all_three_on_runs": SHARES,
            "reader_on_runs": SHARES,
            "reader_on_purified": SHARES,
            "reader_on_attacked": SHARES,
            "psi_on_runs": SHARES,
        }
    },
    "type-classifier.safetensors": MADE | {"measured": {"held_out_images": 240, **SHARES}},
    "evidence.safetensors": {key: MADE[key] for key in ("scale", "device", "hours")}
    | {
        "runs": 1000,
        "measured": {"held_out_images": 240, "evidence": SHARES, "blocks": SHARES},
    },
}
STARTS = {
    "dataset": "cifar10",
    "n": 50,
    "steps": 100,
    "share": share(400, 500),
    "clean": share(46, 50),
    "kept": 0.0123,
    "command": "starts --examples 50",
}


def line(text: str, start: str) -> list[str]:
    """The cells of the first table row that begins so."""
    row = next(row for row in text.splitlines() if row.startswith(f"| {start}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_every_file_has_its_scale_size_and_figure() -> None:
    text = render(MANIFEST)
    assert line(text, "classifier")[1:3] == ["cpu, cpu, 0.5", "2.7 M weights"]
    assert "91.0% of 10,000 test images" in line(text, "classifier")[3]
    assert line(text, "dictionary")[2] == "6,000 columns"
    assert "100 / 100 / 90" in line(text, "dictionary")[3]
    assert "0.040 at 0.1" in line(text, "diffusion")[3]
    assert "80.0 (" in line(text, "generator")[3]


def test_bests_files_are_told_by_what_they_answer() -> None:
    text = render(MANIFEST)
    shares = "95 / 90 / 100, clean 80%"
    for name in ("type-classifier", "evidence"):
        assert f"{shares} of 240 held-out" in line(text, name)[3]
    reader = line(text, "reader")[3]
    for words in (f"from G(w): {shares}", f"from D(x'): {shares}", f"from x': {shares}"):
        assert words in reader
    assert "(0.25 / 0.50 / 1.00)" in reader
    assert line(text, "evidence")[2] == "1,000 runs"


def test_starts_are_told_where_they_were_measured() -> None:
    text = render(MANIFEST, STARTS)
    assert "80.0 (" in text
    assert "1.2% of those from another class end in the class they began in" in text
    assert "Section 5.2.2" not in render(MANIFEST)


def test_inversion_has_a_line_for_every_length() -> None:
    text = render(MANIFEST)
    assert line(text, "50 |")[2:] == ["1.23", "1.50"]
    assert line(text, "500 |")[2] == "0.99"
    assert "of which ψ reads 91.0 (" in text
    assert "% of 500 test images, inverted in 500 steps" in text
    assert "ψ reads 50.0 (49.0 to 51.0)% as the class asked for" in text


def test_purification_stands_beside_what_was_attacked() -> None:
    text = render(MANIFEST)
    assert line(text, "x', by ψ")[2].startswith("5.0 (")
    assert line(text, "x', by our second classifier")[2].startswith("10.0 (")
    assert line(text, "D(x'), sigma 0.2, first guess, one draw, by ψ")[2].startswith("70.0 (")
    second = "D(x'), sigma 0.25, ancestral, a vote of 8, by our second classifier"
    assert line(text, second)[2].startswith("80.0 (")
    assert "for each classifier by the largest share of held-out images read right" in text
    assert "first 1,000 test images, 200 for each attack" in text


def test_the_trade_off_has_a_line_for_every_way_and_sigma() -> None:
    text = render(MANIFEST)
    assert "one draw, percent read right by ψ:" in text
    assert "a vote of 8, percent read right by our second classifier:" in text
    assert text.count("\n| no noise |") == 2
    for way in WAYS:
        assert sum(f"{sigma:g}, {way}" in text for sigma in SIGMAS) == len(SIGMAS)
    assert "| **0.2, first guess** | **82.0** |" in text
    assert "| **0.25, ancestral** | **79.5** |" in text
    assert text.count("\n| **") == 2
    assert line(text, "0.05, flow")[-1] == "0.40", "the mean distance"


def test_a_sweep_of_an_earlier_recipe_is_left_out() -> None:
    manifest = copy.deepcopy(MANIFEST)
    manifest["diffusion.safetensors"]["measured"]["purification"] = {
        "way": "flow",
        "sigma": 0.1,
        "sweep": [{"way": "flow", "sigma": 0.1, "clean": 0.9}],
    }
    assert "| D(x')" not in render(manifest)


def test_every_table_is_a_table() -> None:
    tables = [block for block in render(MANIFEST).split("\n\n") if block.startswith("|")]
    assert len(tables) == 5
    for block in tables:
        assert len({row.count("|") for row in block.splitlines()}) == 1


def test_what_was_not_measured_is_not_told() -> None:
    assert render({}) == ""
    manifest = copy.deepcopy(MANIFEST)
    del manifest["generator.safetensors"]["measured"]
    del manifest["diffusion.safetensors"]["measured"]["purification"]
    text = render(manifest)
    assert "w^" not in text
    assert "| D(x')" not in text
    assert line(text, "generator")[3] == ""
