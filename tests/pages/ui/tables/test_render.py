"""The table as HTML: every figure in its place, and nothing but escaped text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pages.ui.look import theme
from pages.ui.tables.paper import paper_table
from pages.ui.tables.render import block_table, blocks_of, name_of, percent, read_name
from pages.ui.tables.tables_headlines import attack_cell, class_cell, headline, matrices_line
from red_core.measure.tables import Cell, Layout, Line, Section, layout, load_table
from red_core.measure.tables.paper import FIGURES

CELL = Cell(0.962, 0.948, 0.972, 1000, paper=0.753, best=True)


def made(*sections: Section) -> Layout:
    return Layout("1", "mnist", "A table", 1000, "toys", "python", sections, (), {})


def section(question: str, *lines: Line) -> Section:
    return Section("psi", question, "A title", ("linf", "none"), lines)


SIGNAL = section("signal", Line("cnn", "CNN <b>", {"linf": CELL}), Line("msd", "MSD", {}))
ATTACK = section(
    "attack", Line("type-cnn", "Type", {"none": replace(CELL, best=False, n=100, other_n=True)})
)


def rows(html: str) -> list[str]:
    return re.findall(r"<tr.*?</tr>", html.split("<tbody>")[1])


def test_signal_and_attack_stand_side_by_side():
    (group,) = blocks_of(made(SIGNAL, ATTACK))
    html = block_table(group, made(SIGNAL, ATTACK), theme.LIGHT)
    assert [row.count("<td") for row in rows(html)] == [4, 4, 4]
    assert html.count('colspan="2"') == 2
    assert "CNN &lt;b&gt;" in html
    assert theme.LIGHT.linf in html


def test_a_figure_has_its_interval_its_rank_and_the_papers():
    html = block_table([SIGNAL, ATTACK], made(SIGNAL, ATTACK), theme.DARK)
    first, _, third = rows(html)
    assert '<span class="value">96.2</span><span class="paper">75.3</span>' in first
    assert "94.8 to 97.2" in first
    assert 'class="first best"' in first
    assert "n = " not in first
    assert "best" not in third
    assert "n = 100" in third
    assert theme.DARK.none in html


def test_what_went_through_psi_is_marked():
    line = Line("sbsc", "SBSC", {"linf": replace(CELL, through_psi=True)})
    assert "96.2*" in block_table([section("signal", line)], made(), theme.LIGHT)


def test_a_difference_has_its_sign_and_is_no_button():
    cell = Cell(-0.012, -0.03, 0.004, 100, paper=-0.01)
    line = Line("bsd-gan-paper:signal", "Δ", {"linf": cell})
    one = replace(section("difference", line), difference=True)
    html = block_table([one], made(one), theme.LIGHT)
    assert "−1.2" in html
    assert "−3.0 to +0.4" in html
    assert "<button" not in html


def test_a_figures_name_leads_back_to_it():
    assert read_name(name_of("psi", "linf", "bsd-gan-best/rules")) == (
        "psi", "linf", "bsd-gan-best/rules",
    )  # fmt: skip
    assert read_name("psi linf") is None


def test_per_cent_has_no_negative_zero():
    assert percent(0.99949) == "99.9"
    assert percent(-0.0001, signed=True) == "0.0"


def test_a_measured_table_is_drawn_whole(measured):
    kept = layout(load_table("1"))
    psi, white = (block_table(one, kept, theme.LIGHT) for one in blocks_of(kept))
    assert "M∞" in psi
    assert len(rows(white)) > 3
    titles = [re.search(r'class="name">(.*?)</th>', row).group(1) for row in rows(psi)]
    assert titles.index("BSD-GAN best") < titles.index(
        "BSD-GAN best, read by ψ and by blocks alone"
    )
    differences, *_ = blocks_of(layout(load_table("4")))
    assert differences[0].difference


@pytest.mark.parametrize("number", FIGURES)
def test_the_papers_own_table_is_whole(number: str):
    html = paper_table(number)
    figures = sum(len(line) for line in FIGURES[number].values())
    assert len(re.findall(r"<td>[^<]+</td>", html)) == figures


def test_the_headline_compares_with_the_paper(measured):
    assert (
        headline("5", "fashion", None) == "Table 5 (Fashion-MNIST) has not been measured here yet."
    )
    said = headline("1", "mnist", layout(load_table("1")))
    assert re.fullmatch(
        r"BSD-GAN best reads [\d.]+% of the attacked images right \(the paper: 84.2\) and names "
        r"[\d.]+% of the attacks \(the paper: 83.7\)\.",
        said,
    )
    smooth = headline("4", "mnist", layout(load_table("4")))
    assert re.fullmatch(r"A smooth G moves no figure by more than .* \(the paper: 3.0\)\.", smooth)


def test_cells_are_told_in_sentences():
    assert (
        class_cell("MSD", "7", "2", "linf", 12) == "12 images of a 7 read as a 2 by MSD under ℓ∞."
    )
    assert class_cell("MSD", "8", "8", "none", 1) == (
        "One image of an 8 read right by MSD without an attack."
    )
    assert attack_cell("MSD", "l2", "none", 0) == "No images under ℓ2 in which MSD finds no attack."
    assert matrices_line("MSD", "l2", None, (3, 4)) == "MSD under ℓ2: 3 of 4 attacks named right."
    assert "no answers" in matrices_line("MSD", "l2", None, (0, 0))
