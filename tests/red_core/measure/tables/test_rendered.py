"""The README's tables say what the stored files say."""

from pathlib import Path

from red_core.measure.tables import BLOCK, render
from red_core.readme.render import between

README = Path(__file__).resolve().parents[4] / "README.md"


def test_the_readme_shows_the_kept_tables() -> None:
    assert between(README.read_text(encoding="utf-8"), BLOCK) == render()
