"""Section 3 measured: projections are projections, and each span is the one it is called."""

import json
from pathlib import Path

import pytest
import torch

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import PAPER_ATTACKS, AttackSettings
from red_core.cli import main
from red_core.measure.assumption import (
    QUANTILES,
    SPANS,
    measure,
    measure_attack,
    own_span,
    random_residuals,
    relative_residual,
    shared_spans,
    span_basis,
    spread,
)
from red_core.run.bundle import Bundle
from red_core.run.settings import SettingsError

PIXELS, CLASSES, BLOCK = 60, 3, 4
KINDS = ("linf", "l2")


def dictionary(seed: int = 0) -> AttackDictionary:
    draw = torch.Generator().manual_seed(seed)
    deltas = torch.randn(CLASSES, len(KINDS), BLOCK, PIXELS, generator=draw)
    return AttackDictionary.from_attacks(deltas, KINDS)


def test_the_residual_is_least_squares_on_the_columns() -> None:
    columns, rows = torch.randn(PIXELS, 7).double(), torch.randn(5, PIXELS).double()
    solved = torch.linalg.lstsq(columns, rows.T).solution
    expected = (rows.T - columns @ solved).norm(dim=0) / rows.norm(dim=1)
    torch.testing.assert_close(relative_residual(rows, span_basis(columns)), expected)


def test_a_basis_leaves_rounding_out() -> None:
    columns = torch.randn(PIXELS, 3).double() @ torch.randn(3, 9).double()
    rounded = columns + 1e-6 * torch.randn(columns.shape)
    assert span_basis(rounded).shape == (PIXELS, 3)
    assert span_basis(rounded, tolerance=1e-12).shape == (PIXELS, 9)


@pytest.mark.parametrize("attack", range(len(KINDS)))
@pytest.mark.parametrize("label", range(CLASSES))
def test_an_attack_of_a_block_lies_in_its_own_span_alone(label: int, attack: int) -> None:
    atoms = dictionary()
    inside = atoms.atoms[:, atoms.block(label, attack)].double() @ torch.randn(BLOCK, 5).double()
    shared = shared_spans(atoms, attack, seed=0)
    assert own_span(atoms, label, attack).residuals(inside.T).max() < 1e-6
    assert shared["attack"].residuals(inside.T).max() < 1e-6
    assert shared["others"].residuals(inside.T).min() > 0.3
    assert own_span(atoms, (label + 1) % CLASSES, attack).residuals(inside.T).min() > 0.3


def test_drawn_columns_are_as_many_as_a_block_and_of_the_right_attack() -> None:
    atoms = dictionary()
    shared = shared_spans(atoms, 1, seed=3)
    assert {shared[name].columns for name in ("attack_drawn", "others_drawn")} == {BLOCK}
    assert shared["attack"].columns == shared["others"].columns == CLASSES * BLOCK
    for few, many in (("attack_drawn", "attack"), ("others_drawn", "others")):
        for basis in shared[few].bases:
            assert basis.shape[1] == BLOCK
            assert relative_residual(basis.T, shared[many].bases[0]).max() < 1e-6
    again = shared_spans(atoms, 1, seed=3)["attack_drawn"].bases[0]
    assert again.equal(shared["attack_drawn"].bases[0])


def test_a_random_subspace_leaves_what_its_dimension_says() -> None:
    rows = torch.randn(50, 400)
    for rank in (0, 40, 200, 400):
        left = random_residuals(rows, rank, seed=1).square().mean()
        assert float(left) == pytest.approx(1 - rank / 400, abs=0.01)


def test_an_attack_is_measured_row_by_row() -> None:
    atoms = dictionary()
    labels = torch.tensor([0, 1, 2, 0])
    deltas = torch.stack(
        [atoms.atoms[:, atoms.block(int(c), 0)] @ torch.randn(BLOCK) for c in labels]
    )
    made = measure_attack(atoms, deltas, labels, 0, seed=0)
    assert list(made["spans"]) == list(SPANS)
    assert made["n"] == 4
    own, others = made["spans"]["own"], made["spans"]["others_drawn"]
    assert own["columns"] == own["rank"] == BLOCK
    assert own["mean"] < 1e-4 < others["mean"]
    assert own["random"]["mean"] == pytest.approx((1 - BLOCK / PIXELS) ** 0.5, abs=0.05)
    shared = shared_spans(atoms, 0, seed=0)
    near, far = (shared[name].residuals(deltas) for name in ("attack_drawn", "others_drawn"))
    assert float((near - far).abs().min()) > 1e-4  # no tie, which rounding decides
    assert made["nearer"]["value"] == float((near < far).double().mean())


def test_the_spread_is_of_the_values() -> None:
    told = spread(torch.linspace(0, 1, 101).double())
    # Sums are taken in an order that depends on the processor.
    assert told["mean"] == pytest.approx(0.5)
    assert told["quantiles"] == pytest.approx({str(cut): cut / 100 for cut in QUANTILES})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attacks of two steps."""
    few = {kind: AttackSettings(kind, 1.0, 0.5, 2) for kind in ("linf", "l2", "l1")}
    monkeypatch.setitem(PAPER_ATTACKS, "mnist", few)


def test_the_command_reports_and_keeps(
    quick: None, toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    kept: list[dict] = []
    monkeypatch.setattr("red_core.cli.assumption.keep_report", kept.append)
    out = tmp_path / "assumption.json"
    words = ["assumption", "--examples", "5", "--work", str(tmp_path), "--json", str(out)]
    assert main([*words, "--keep"]) == 0
    report = json.loads(out.read_text())
    assert kept == [report]
    attacks = report["classifiers"]["psi"]["attacks"]
    assert set(attacks) == {"linf", "l2", "l1"}
    assert report["pixels"] == 784
    for attack in attacks.values():
        for span in attack["spans"].values():
            assert 0 <= span["mean"] <= 1
            assert 0 < span["rank"] <= span["columns"]
    assert "its own block" in capsys.readouterr().out


def test_more_images_than_there_are(toy_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="13 examples were asked for, and there are 12"):
        measure(toy_bundle, 13, 0, tmp_path)
