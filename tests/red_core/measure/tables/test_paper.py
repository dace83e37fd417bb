"""The paper's figures, held against its own averages."""

import pytest

from red_core.attacks.pgd import ATTACKS
from red_core.measure.tables.paper import FIGURES, NOTES
from red_core.measure.tables.spec import TABLES, paper_columns


@pytest.mark.parametrize("number", ["1", "5"])
def test_the_printed_averages_are_those_of_the_printed_figures(number: str) -> None:
    for column, figures in FIGURES[number].items():
        mean = sum(figures[attack] for attack in ATTACKS) / 3
        # 82.82 is a slip of the paper's, which a note tells of.
        expected = 82.82 if (number, column) == ("1", "SBSC") else pytest.approx(mean, abs=0.011)
        assert figures["mean"] == expected
    if number == "1":
        assert any("82.82" in note for note in NOTES["1"])


def test_every_figure_is_there() -> None:
    assert len(FIGURES["1"]) == 9
    assert sum(len(column) for column in FIGURES["1"].values()) == 9 * 4 + 7
    assert sum(len(column) for column in FIGURES["5"].values()) == 5 * 4
    assert FIGURES["4"]["Delta_attack"] == {"linf": 1.0, "l2": -3.0, "l1": -1.0}
    assert set(NOTES) == set(TABLES)


@pytest.mark.parametrize("number", ["1", "5"])
def test_every_column_of_the_paper_has_a_method_beside_it(number: str) -> None:
    named = {column for key in TABLES[number].methods for column in paper_columns(key)}
    assert set(FIGURES[number]) <= named


def test_every_variant_of_bsd_gan_stands_beside_the_papers_but_defense_gan_does_not() -> None:
    for entry in ("bsd-gan-best", "bsd-gan-best/rules", "bsd-gan-frozen", "bsd-gan-paper-smooth"):
        assert paper_columns(entry) == ("BSD-GAN", "BSD-GAN-AD")
    assert paper_columns("bsd-gan-frozen/defense-gan") == (None, None)
    assert paper_columns("sbsc") == ("SBSC", "SBSAD")
