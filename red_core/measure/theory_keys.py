"""The keys of the kept numbers of the theory: figures, examples, survey, planted solutions."""

from __future__ import annotations

from typing import Any

from red_core.measure import planted
from red_core.measure.result_store import Key, result_key
from red_core.measure.studies import EXAMPLES, FIGURE_1, FIGURE_2, FIGURE_3, Study
from red_core.run.code_digest import changed_values, code_digest
from red_core.theory.verification import SURVEYED

STUDIES = "red_core.measure.studies"
VERIFICATION = "red_core.theory.verification"
PLANTED = "red_core.measure.planted"


def study_values(study: Study) -> dict[str, Any]:
    """A study's numbers that differ from the defaults, as plain values."""
    return changed_values(study) | {
        "settings": changed_values(study.settings),
        "options": changed_values(study.options),
    }


def theory_key(part: str, command: str) -> Key:
    """The key of assets/theory/<part>.json; command: with the flags that change the numbers."""
    base: dict[str, Any] = {
        "figure1": study_values(FIGURE_1),
        "figure2": study_values(FIGURE_2),
        "figure3": study_values(FIGURE_3),
        "examples": {name: study_values(study) for name, study in EXAMPLES.items()},
        "survey": changed_values(SURVEYED),
    }
    if part == "planted":
        base[part] = {"files": planted.files()}
    code = code_digest({"survey": VERIFICATION, "planted": PLANTED}.get(part, STUDIES))
    return result_key([code], {"command": command, "base": base[part]}, None)
