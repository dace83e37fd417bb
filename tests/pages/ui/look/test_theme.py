from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, fields
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pages.ui.look import theme

CONFIG = Path(__file__).parents[4] / ".streamlit" / "config.toml"
ATTACKS = ("linf", "l2", "l1", "none")

# Linear RGB as a dichromat sees it (Machado, Oliveira and Fernandes 2009, severity 1).
DICHROMATS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}  # fmt: skip


def _linear(colour: str) -> np.ndarray:
    channels = np.array(theme.rgb(colour)) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    ratio = to_xyz @ linear.clip(0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _contrast(one: str, other: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted((float(weights @ _linear(one)), float(weights @ _linear(other))))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eyes", DICHROMATS)
def test_the_attacks_differ_for_every_eye(dark: bool, eyes: str) -> None:
    sight = np.array(DICHROMATS[eyes])
    seen = {a: _lab(sight @ _linear(theme.palette(dark).attack(a))) for a in ATTACKS}
    for one, other in combinations(ATTACKS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 11, (one, other)


@pytest.mark.parametrize("dark", [False, True])
def test_writing_can_be_read(dark: bool) -> None:
    colours = theme.palette(dark)
    for ground in (colours.background, colours.surface, colours.phase, colours.residual_fill):
        assert _contrast(colours.text, ground) >= 4.5
    assert _contrast(colours.muted, colours.background) >= 4.5
    for attack in ("linf", "l2", "l1"):  # figures in full cells, and lines on the page
        assert _contrast(colours.attack(attack), colours.background) >= 3


def test_streamlits_theme_has_the_same_colours() -> None:
    config = tomllib.loads(CONFIG.read_text())["theme"]
    for name in ("light", "dark"):
        ours, page = theme.palette(name == "dark"), config[name]
        assert page["chartCategoricalColors"][:4] == [ours.linf, ours.l2, ours.l1, ours.residual]
        assert page["backgroundColor"] == ours.background
        assert page["textColor"] == ours.text
        assert page["primaryColor"] == ours.accent


def test_every_colour_has_one_partner_in_the_dark() -> None:
    assert len(theme.DARK_OF) == len(asdict(theme.LIGHT))
    assert set(theme.DARK_OF.values()) == set(asdict(theme.DARK).values())
    # or exchanging one after the other would exchange some twice
    assert not set(theme.DARK_OF) & set(theme.DARK_OF.values())


@pytest.mark.parametrize("dark", [False, True])
def test_the_diverging_map_is_even_about_zero(dark: bool) -> None:
    table = theme.diverging_table(dark).astype(float)
    assert table.shape == (255, 3)
    lightness = np.array([_lab((row / 255) ** 2.2)[0] for row in table])
    away = lightness[127] - lightness if not dark else lightness - lightness[127]
    assert (np.diff(away[127:]) > -0.5).all()  # the further from zero, the stronger
    assert (np.diff(away[:128]) < 0.5).all()
    assert np.ptp(table[127]) < 10  # zero has no hue
    with pytest.raises(ValueError, match="odd"):
        theme.diverging_table(dark, 256)


def test_an_unknown_attack_has_no_colour() -> None:
    with pytest.raises(ValueError, match="linfinity"):
        theme.LIGHT.attack("linfinity")


PAGES = Path(theme.__file__).parents[2]
STYLES = [path for kind in ("*.css", "*.js") for path in sorted(PAGES.rglob(kind))]
SOURCES = [*STYLES, *sorted(PAGES.rglob("*.py"))]
PALETTE = {field.name for field in fields(theme.Palette)}
GIVEN = {  # "--name: value" of a style, "--name" set from a module
    name for path in SOURCES for name in re.findall(r"--([\w-]+)\"?[:,]", path.read_text())
}


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_every_colour_that_a_style_or_a_module_names_is_there(path: Path) -> None:
    text = path.read_text()
    named = set(re.findall(r"var\(--([\w-]+)[,)]", text)) - {f"red-{name}" for name in PALETTE}
    assert {name for name in named - GIVEN if not name.startswith("st-")} == set()
    assert set(re.findall(r"\bpalette\.(\w+)", text)) <= {*PALETTE, "diverging"}
