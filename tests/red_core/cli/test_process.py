"""The real assets through a real process: what a script and a shell see."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from red_core.data.assets import is_made

ROOT = Path(__file__).resolve().parents[3]


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "red_core", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


@pytest.fixture
def complete() -> None:
    if not is_made("mnist"):
        pytest.skip("the trained files are not all there yet")


@pytest.mark.usefixtures("complete")
def test_a_run_writes_its_report(tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    words = "run --dataset mnist --attack linf --index 7 --steps 20 --device cpu --seed 1"
    words += " --set restarts=1 --set steps=20"
    done = call(*words.split(), "--json", str(out), RED_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["true_label"] == 7
    assert report["source"].endswith("bundled held-out examples")
    assert "step/s" in done.stderr
    assert str(out) in done.stdout


@pytest.mark.usefixtures("complete")
def test_the_doctor_finds_the_bundled_files_sound() -> None:
    done = call("doctor")
    assert done.returncode == 0, done.stdout
    assert "BAD" not in done.stdout


def test_bad_input_is_one_line_and_status_2() -> None:
    done = call("run", "--eps", "nan")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_command_line_imports_no_screen() -> None:
    code = "import sys, red_core.cli; print({'streamlit', 'plotly'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "set()", done.stderr
