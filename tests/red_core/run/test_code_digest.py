"""Which code decides which answers."""

from pathlib import Path

import pytest

import red_core.measure.tables.code as code
from red_core.methods import METHODS

A = '''"""What it is."""
from red_core.other import two

def one():
    """Say."""
    return two()
'''
B = "def two():\n    return 2\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two modules; the method `cnn` lives in the first."""
    folder = tmp_path / "red_core"
    folder.mkdir()
    (folder / "method.py").write_text(A)
    (folder / "other.py").write_text(B)
    (folder / "stranger.py").write_text("x = 1\n")
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    monkeypatch.setattr(METHODS["cnn"], "__module__", "red_core.method")
    return folder


def digest() -> str:
    code.code_digest.cache_clear()
    return code.code_digest("cnn")


@pytest.fixture(autouse=True)
def _no_digest_stays() -> object:
    yield
    code.code_digest.cache_clear()


def test_what_it_imports_counts(project: Path) -> None:
    before = digest()
    assert digest() == before
    (project / "other.py").write_text(B.replace("2\n", "3\n"))
    assert digest() != before


def test_words_and_strangers_do_not_count(project: Path) -> None:
    before = digest()
    (project / "method.py").write_text(
        "# why\n" + A.replace("Say.", "Say it.").replace("What", "Who")
    )
    (project / "stranger.py").write_text("x = 2\n")
    assert digest() == before


def test_the_real_methods_reach_what_they_run_on() -> None:
    reached = code._reached(METHODS["bsd-gan-best"].__module__)
    assert {
        "red_core.algorithm.algorithm1",
        "red_core.algorithm.verdict",
        "red_core.models.dcgan",
    } <= reached
    assert not {
        name for name in reached if name.startswith(("red_core.data", "red_core.measure.tables"))
    }
    assert code.code_digest("bsd-gan-best") != code.code_digest("cnn")
