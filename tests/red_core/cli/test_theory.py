"""`theory`: what its parts print and write, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from red_core.cli import main
from red_core.data.assets import read_json


def written(tmp_path: Path, *words: str):
    out = tmp_path / "out.json"
    assert main(["theory", *words, "--json", str(out)]) == 0
    return json.loads(out.read_text())


SMALL = ("--examples", "3", "--seeds", "1", "--no-attack")


@pytest.mark.parametrize(("figure", "sizes"), [("figure1", "40,80,160"), ("figure3", "400,800")])
def test_a_figure_is_a_list_of_rows(figure, sizes, tmp_path, capsys):
    rows = written(tmp_path, figure, *SMALL, "--sizes", sizes)
    assert [row["m"] for row in rows] == [int(m) for m in sizes.split(",")]
    for row in rows:
        assert {"m", "mu_mean", "mu_std", "success_rate"} <= set(row)
        assert row["success_rate"] == 1
        assert row["instances"] == 3
        assert "1/m" in row["scale"]
        assert "< 1e-05" in row["success_means"]
    assert rows[0]["mu_mean"] < rows[-1]["mu_mean"]
    assert capsys.readouterr().out.count("success") == len(rows)


def test_seeds_are_networks(tmp_path):
    rows = written(tmp_path, "figure1", "--no-attack", "--sizes", "50", "--seeds", "3")
    assert rows[0]["instances"] == 30


def test_a_study_takes_another_step_size(tmp_path):
    words = ("figure1", *SMALL, "--sizes", "50")
    local, safe, own = (written(tmp_path, *words, "--eta", e)[0] for e in ("local", "safe", "0.01"))
    assert local["mu_mean"] != safe["mu_mean"] != own["mu_mean"]
    assert "with eta 0.01" in own["success_means"]


def test_the_examples_stand_beside_the_papers_numbers(tmp_path):
    found = written(tmp_path, "examples", "--examples", "4", "--steps", "2000")
    assert {name: row["paper_mu"] for name, row in found.items()} == {
        "section_5_1": 0.013,
        "example_15": 2.17,
        "example_16": 1.07,
        "example_16_noisy": 2.61,
        "example_17": 0.64,
    }
    assert all(row["mu_mean"] > 0 for row in found.values())


def test_figure_2_has_one_stationary_point(tmp_path):
    found = written(tmp_path, "figure2")
    assert found["solved"] == 1.0
    assert found["complete"]
    (point,) = found["stationary"]
    assert point["z"] == pytest.approx(found["z_star"])
    heights = np.array(found["f"])
    assert heights.shape == (len(found["y"]), len(found["x"]))
    assert (heights >= 0).all()


def test_verify_reports_the_theorem(tmp_path, capsys):
    words = ("--family", "gaussian", "--m", "60", "--d", "3", "--activation", "tanh")
    found = written(tmp_path, "verify", *words)
    wanted = {"rho", "epsilon", "mu", "interval", "predicted_rate", "observed_rate", "applies"}
    assert wanted <= set(found)
    assert found["applies"]
    assert found["observed_rate"] <= found["predicted_rate"]
    assert found["settings"]["m"] == 60
    assert "Theorem 3" in capsys.readouterr().out


def test_verify_takes_an_attack_a_step_and_a_matrix(tmp_path):
    found = written(tmp_path, "verify", "--m", "40", "--d", "2", "--attack", "--training", "4")
    assert found["theorem"] == "Theorem 6"
    assert found["options"]["method"] == "alternating"
    found = written(tmp_path, "verify", "--m", "40", "--d", "2", "--eta", "0.05")
    assert found["eta"] == 0.05
    matrix = tmp_path / "w.csv"
    matrix.write_text("1,0\n0,1\n1,1\n")
    found = written(tmp_path, "verify", "--matrix", str(matrix), "--activation", "linear")
    assert (found["settings"]["m"], found["settings"]["d"]) == (3, 2)
    assert found["mu"] >= found["leaky_floor"] * (1 - 1e-9) > 0


def test_what_is_kept_says_how_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("RED_ASSETS", str(tmp_path))
    out = str(tmp_path / "out.json")
    words = ["theory", "figure1", *SMALL, "--sizes", "40,80"]
    assert main([*words, "--keep", "--json", out]) == 0
    kept = read_json("theory", "figure1.json")
    assert kept["command"] == " ".join(["python -m red_core", *words])
    assert len(kept["numbers"]) == 2
    assert {"commit", "torch"} <= set(kept["provenance"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "--family", "toeplitz"], "invalid choice"),
        (["verify", "--m", "ten"], "m must be a whole number"),
        (["verify", "--m", "5"], "m must be at least 10"),
        (["verify", "--activation", "step"], "activation must be one of"),
        (["verify", "--eta", "fast"], "eta must be a finite number"),
        (["verify", "--eta", "-1"], "eta must lie"),
        (["verify", "--family", "own"], "needs a matrix"),
        (["verify", "--matrix", "missing.csv"], "missing.csv"),
        (["figure1", "--sizes", "100,many"], "sizes must be whole numbers"),
        (["figure1", "--sizes", "100,5"], "m must be at least"),
        (["figure2", "--family", "gaussian", "--d", "3"], "needs d = 2"),
        (["figure1", "--eta", "fast"], "or one of local, safe"),
        (["examples", "--eta", "0"], "eta must lie"),
        (["verify", "--method", "proximal", "--lambda-fraction", "3"], "lambda_fraction must lie"),
        (["verify", "--lambda-fraction", "much"], "lambda_fraction must be a finite number"),
        (["figure3", "--seeds", "0"], "must be a whole number from 1"),
        (["figure4"], "invalid choice"),
    ],
)
def test_bad_input_is_one_line(words, said, capsys):
    assert main(["theory", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_bad_matrix_is_refused(tmp_path, capsys):
    bad = tmp_path / "w.csv"
    bad.write_text("1,2\n2,4\n")
    assert main(["theory", "verify", "--matrix", str(bad)]) == 2
    assert "rank 1" in capsys.readouterr().err
