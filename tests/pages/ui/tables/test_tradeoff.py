"""The trade-off of the noise: its curves, the chosen point, and what stands in its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pages.ui.charts.tradeoff_chart import DASHES, tradeoff_figure
from pages.ui.look import theme
from pages.ui.tables import section_tradeoff
from red_core.measure.tradeoff import READERS, Tradeoff, tradeoff_of
from red_core.recipes.cifar10.purification import WAYS
from tests.red_core.purification_toys import SIGMAS, toy_purification


def manifest(found: dict[str, Any]) -> dict[str, Any]:
    return {"diffusion.safetensors": {"measured": {"purification": found}}}


@pytest.fixture
def found() -> Tradeoff:
    made = tradeoff_of(manifest(toy_purification()))
    assert made is not None
    return made


def test_every_way_of_the_recipe_has_a_line_style_of_its_own() -> None:
    assert set(WAYS) == set(DASHES)
    assert len(set(DASHES.values())) == len(DASHES)


@pytest.mark.parametrize("reader", READERS)
def test_the_curves_are_the_sweeps(found: Tradeoff, reader: str) -> None:
    chosen = found.chosen[reader]
    ways = found.beside(reader)
    traces = tradeoff_figure(ways, reader, chosen).data
    lines = [trace for trace in traces if trace.mode == "lines"]
    assert len(lines) == 3 * (4 + 1 + 1), "of each way: four sets, their mean, the distance"
    assert all(list(line.x) == [0, *SIGMAS] for line in lines)
    for way, rows in ways.items():
        assert {row.combination for row in rows[1:]} == {chosen.combination}
        own = [line for line in lines if line.line.dash == DASHES[way]]
        clean = next(line for line in own if line.line.color == theme.LIGHT.none)
        assert list(clean.y) == pytest.approx([100 * row.shares(reader)["clean"] for row in rows])
        mean = next(line for line in own if line.line.width == 3)
        assert list(mean.y) == pytest.approx([100 * row.mean(reader) for row in rows])
        (distance,) = (line for line in own if line.yaxis == "y2")
        assert list(distance.y) == pytest.approx([row.moved for row in rows])


@pytest.mark.parametrize("reader", READERS)
def test_the_chosen_point_is_marked_in_both_panels(found: Tradeoff, reader: str) -> None:
    chosen = found.chosen[reader]
    figure = tradeoff_figure(found.beside(reader), reader, chosen)
    above, below = (trace for trace in figure.data if trace.mode == "markers")
    assert (above.x[0], below.x[0]) == (chosen.sigma, chosen.sigma)
    assert above.y[0] == pytest.approx(100 * chosen.mean(reader))
    assert (below.yaxis, below.y[0]) == ("y2", pytest.approx(chosen.moved))
    assert figure.layout.yaxis2.range[1] > max(row.moved for row in found.rows)
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]


def test_one_sentence_says_what_is_seen(found: Tradeoff) -> None:
    said = section_tradeoff.headline(found)
    row, plain = found.chosen["reader"], found.plain
    assert said.startswith("With sigma 0.25, ancestral, a vote of 8, our second classifier reads ")
    assert f"{100 * row.attacked('reader'):.1f}% of the attacked images right, 0.0% without" in said
    assert "of the clean ones 79.5%, 92.0% without" in said
    assert plain.moved == 0
    assert "D(x') lies 2.0 from x'." in said
    about = section_tradeoff.about(found)
    assert "200 clean and 3 x 100 attacked held-out images" in about
    assert f"ψ {100 * found.chosen['psi'].mean('psi'):.1f}%" in about


def test_the_sweep_of_an_earlier_recipe_is_not_drawn() -> None:
    old = {"way": "flow", "sigma": 0.1, "rule": "another", "sweep": [], "test": {}}
    for found in (old, {}):
        assert tradeoff_of(manifest(found)) is None
    assert tradeoff_of({}) is None
    assert section_tradeoff.headline(None).endswith("?")


@pytest.mark.parametrize("lacking", ["sweep", "chosen_on", "rule", "chosen row", "way"])
def test_figures_of_another_shape_are_named(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = copy.deepcopy(toy_purification())
    if lacking == "chosen row":
        found["choices"]["psi"]["sigma"] = 0.123
    elif lacking == "way":
        found["sweep"][-1]["way"] = "another way"
    else:
        del found[lacking]
    told: list[str] = []
    monkeypatch.setattr(section_tradeoff.st, "error", told.append)
    assert section_tradeoff._read(manifest(found)) is None
    assert "have not the shape" in told[0]
