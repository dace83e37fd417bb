"""What newer Pythons say of every file, where this machine has them: no error, no warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPILE = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("error")
for folder in ("red_core", "pages", "tests", "docs"):
    for path in Path(folder).rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
compile(Path("app.py").read_text(encoding="utf-8"), "app.py", "exec")
"""


def found(version: str) -> list[str]:
    """Interpreters of this version, those that are on the path first."""
    named = shutil.which(f"python{version}")
    places = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    working = []
    for path in [*([named] if named else []), *map(str, places)]:
        words = [path, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        if done.stdout.strip() == version:
            working.append(path)
    return working


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_a_newer_python_compiles_every_file(version: str) -> None:
    interpreters = found(version)
    if not interpreters:
        pytest.skip(f"this machine has no Python {version}")
    done = subprocess.run(
        [interpreters[0], "-c", COMPILE], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
