"""A bundle for small tables."""

from pathlib import Path

import pytest

from red_core.run.bundle import Bundle, load_bundle


@pytest.fixture
def table_bundle(toy_tables: Path, quick_attacks: None) -> Bundle:
    """12 examples, psi, M_inf, G and D_a, untrained; attacks take three steps."""
    return load_bundle("mnist")


TRUE = "0123456789" * 2


def answered(signal: str | None, attack: str | None, n: int | None = None, run: int = 0) -> dict:
    """An entry of a record; n: of the first n images alone."""
    n = n or len(TRUE)
    return {
        "signal": signal and signal[:n],
        "attack": attack and attack[:n],
        "n": n,
        "seconds": 1.5,
        "files": {"classifier.safetensors": "f" * 64},
        "run": run,
    }


@pytest.fixture
def record() -> dict:
    """Answers on 20 images, written by hand: Table 1, of four methods.

    psi is wrong under l-inf, right on the first 10 images under l2 and l1, and on clean ones;
    M_inf is right on 15 images, and on 10 under attacks through its own weights; `best` is wrong
    on its first image alone and reads every attack right; its reading is right on 10 images and
    always says l-inf. Under l1 the last two answer on 10 images.
    """
    wrong = TRUE[1:] + "0"
    half = TRUE[:10] + wrong[10:]
    robust = TRUE[:15] + wrong[15:]
    ours = "9" + TRUE[1:]
    kinds = {"linf": "0", "l2": "1", "l1": "2", "none": "3"}
    psi = {}
    for attack, kind in kinds.items():
        n = 10 if attack == "l1" else 20
        psi[attack] = {
            "cnn": answered({"linf": wrong, "none": TRUE}.get(attack, half), None),
            "m-inf": answered(robust, None),
            "bsd-gan-best": answered(ours, kind * 20, n),
            "bsd-gan-best/rules": answered(half, "0" * 20, n),
        }
    own = {attack: {"m-inf": answered(half, None)} for attack in ("linf", "l2", "l1")}
    return {
        "table": "1",
        "source": "MNIST test",
        "seed": 0,
        "runs": [
            {
                "command": "python -m red_core evaluate --table 1",
                "provenance": {"commit": "c", "device": "cpu"},
            }
        ],
        "missing": {"msd": "not there"},
        "blocks": {"psi": psi, "white-box": own},
        "true": TRUE,
    }
