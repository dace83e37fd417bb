"""What the stage says in words, computed by its own script in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pages.ui.stage.files import BROWSER

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the stage's script")

HEADER = {
    "dataset": "mnist",
    "source": "example",
    "classes": list("0123456789"),
    "attacks": ["linf", "l2", "l1"],
    "label": 7,
    "attack": "l2",
    "attack_steps": 200,
    "total": 140,
    "latent": True,
}
VERDICT = {
    "state": "finished",
    "signal": 7,
    "adversarial": 7,
    "attack": "l2",
    "signal_probabilities": [1.0],
    "attack_probabilities": [1.0],
    "has_evidence": True,
    "seconds": 2.0,
}
FAILED = "The attack failed: the classifier still reads a 7."
STEP = "Try a larger budget, or another digit marked in the gallery."


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage's scripts in a folder whose files node reads as modules."""
    folder = tmp_path_factory.mktemp("stage")
    shutil.copytree(BROWSER, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder / "headline.js"


def said(script: Path, record: dict[str, Any] | None = None, **other: Any) -> tuple[str, str]:
    """The line and the detail; record: the shown moment, where it is not the end."""
    header = {**HEADER, **{key: value for key, value in other.items() if key in HEADER}}
    verdict = {**VERDICT, **other.get("verdict", {})}
    store = {
        "header": header,
        "record": record or {},
        "status": {"state": "finished", "error": ""},
        "verdict": verdict,
        "atEnd": record is None,
    }
    code = (
        f"import {{ sentences }} from {json.dumps(script.as_uri())};"
        f"console.log(JSON.stringify(sentences({json.dumps(store)})))"
    )
    command = [str(NODE), "--input-type=module", "--eval", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    return found["line"], found["detail"]


def attacking(k: int, read: int) -> dict[str, Any]:
    psi = [0.9 if label == read else 0.01 for label in range(10)]
    return {"phase": "attack", "k": k, "psi": psi}


def test_an_attack_that_failed_says_so_at_its_end(script: Path) -> None:
    assert said(script, attacking(200, 7)) == (FAILED, STEP)
    assert said(script, attacking(199, 7))[0].startswith("Making the attack")
    assert (
        said(script, attacking(200, 3))[0] == "Making the attack: the classifier reads a 3 (90%)."
    )


def test_the_verdict_says_that_the_attack_failed(script: Path) -> None:
    assert said(script) == (FAILED, STEP)
    line, detail = said(script, verdict={"signal": 2})
    assert line == f"{FAILED} Underneath it finds a 2."
    assert detail == STEP
    line, detail = said(script, verdict={"adversarial": 3})
    assert line == "It reads as a 3. Underneath is a 7, hidden by an ℓ2 attack."
    assert detail.startswith("Signal >99% sure")


def test_where_no_attack_was_made_none_failed(script: Path) -> None:
    clean = {"attack": "none", "attack_steps": 0, "verdict": {"attack": "none"}}
    assert said(script, **clean)[0] == (
        "It reads as a 7, and that is right; nothing was added to it."
    )
    assert "failed" not in said(script, label=None)[0]


def test_the_step_that_is_offered_is_one_that_there_is(script: Path) -> None:
    own = said(script, source="own")[1]
    assert own == "Try a larger budget, or another digit."
    assert said(script, dataset="fashion")[1] == (
        "Try a larger budget, or another picture marked in the gallery."
    )
    assert said(script, dataset="cifar10")[1] == "Try a larger budget, or another picture."
