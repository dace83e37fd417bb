"""A table in the README."""

from pathlib import Path

from red_core.measure.tables import Layout, render, render_markdown, summarise
from red_core.measure.tables.short import short
from red_core.measure.tables.table_store import keep, load_table


def kept(record: dict) -> str:
    keep("mnist", "table1.json", summarise(record), "a command")
    return render_markdown("1")


def cells(text: str, title: str) -> list[str]:
    first = next(row for row in text.splitlines() if row.startswith(f"| {title} |"))
    return [cell.strip() for cell in first.strip("|").split("|")]


def test_nothing_measured_is_nothing_claimed(toy_tables: Path) -> None:
    assert render() == ""
    assert render_markdown("5") == ""


def test_the_figures(toy_tables: Path, record: dict) -> None:
    text = kept(record)
    assert text.startswith("**Table 1. Signal and attack on MNIST, method by method.**")
    assert "The first 20 images of MNIST test (MNIST)" in text
    assert cells(text, "CNN")[1] == "0.0<br><sub>0.0 to 16.1; paper 0.0</sub>"
    assert cells(text, "CNN")[5] == "**100.0**<br><sub>83.9 to 100.0; paper 99.0</sub>"
    assert cells(text, "BSD-GAN best")[3].endswith("; n = 10; paper 87.8</sub>")
    assert "BSD-GAN best, read by ψ" in text
    assert "Not measured yet: MSD." in text
    assert "--table 1 --examples 20 --seed 0 --keep`, in 1 run at commit `c` on cpu" in text


def test_the_readme_has_the_means_first_and_the_rest_folded(toy_tables: Path, record: dict) -> None:
    text = kept(record)
    head, folded = render().split("<details>")
    assert text in folded
    assert "95% interval" not in head
    table = load_table("1")
    assert table is not None
    mean = table["means"]["psi"]["bsd-gan-best"]
    row = cells(head, "BSD-GAN best")
    assert row[1] == f"{100 * mean['signal']['value']:.1f} (84.2) <sub>n = 10</sub>"
    assert f"{100 * mean['attack']['value']:.1f}" in row[2]
    assert row[4] == ""  # it has no network that could be attacked


def test_a_table_of_differences_has_no_means(toy_tables: Path) -> None:
    assert short(Layout("4", "mnist", "T", 1, "s", "c", (), (), {})) == ""


def test_every_row_has_all_columns(toy_tables: Path, record: dict) -> None:
    del record["blocks"]["psi"]["l2"]["bsd-gan-best"]
    blocks = [part for part in kept(record).split("\n\n") if part.startswith("|")]
    assert blocks
    for block in blocks:
        # The attack's type has one mean more: with clean images.
        wanted = 8 if "mean with clean" in block else 7
        assert {row.count("|") for row in block.splitlines()} == {wanted}


def test_attacks_through_psi_are_marked_and_explained(toy_tables: Path, record: dict) -> None:
    before, after = kept(record).split("White-box", 1)
    assert "†" not in before
    assert cells(after, "BSD-GAN best")[1].startswith("95.0†<br>")
    assert "†" not in cells(after, "M∞")[1]
    assert "†: no network of its own to attack" in after
