"""Which generated block is in which document, and the one way to write them all."""

from __future__ import annotations

from pathlib import Path

from red_core.data.assets import read_manifest
from red_core.data.datasets import DATASETS
from red_core.measure import tables
from red_core.measure.result_store import stored
from red_core.measure.start_classes import STARTS
from red_core.measure.strengths import ABLATION, RESULTS, SPEED
from red_core.readme import (
    ablation_figures,
    cifar10_figures,
    evidence_figures,
    start_figures,
    summary,
    theory_figures,
)
from red_core.readme.render import block, insert, render

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "README.md": (summary.BLOCK,),
    "docs/results.md": (
        *map(block, DATASETS),
        tables.BLOCK,
        evidence_figures.BLOCK,
        theory_figures.BLOCK,
        cifar10_figures.BLOCK,
        start_figures.BLOCK,
        ablation_figures.BLOCK,
    ),
}


def blocks() -> dict[str, str]:
    """The Markdown of every block by its name, from the measured files alone."""
    numbers = {
        block(dataset): render(dataset, stored(dataset, RESULTS), stored(dataset, SPEED))
        for dataset in DATASETS
    }
    theory = {part: stored(theory_figures.FOLDER, f"{part}.json") for part in theory_figures.PARTS}
    starts = {dataset: stored(dataset, STARTS) for dataset in DATASETS}
    models = cifar10_figures.render(read_manifest("cifar10"), starts["cifar10"])
    return {
        summary.BLOCK: summary.render(),
        **numbers,
        tables.BLOCK: tables.render(),
        evidence_figures.BLOCK: evidence_figures.render(),
        theory_figures.BLOCK: theory_figures.render(theory),
        cifar10_figures.BLOCK: models,
        start_figures.BLOCK: start_figures.render(starts),
        ablation_figures.BLOCK: ablation_figures.render(
            {dataset: stored(dataset, ABLATION) for dataset in DATASETS}
        ),
    }


def write(root: Path = ROOT) -> list[Path]:
    """Write every block between its markers; the documents. ValueError where markers lack."""
    made, written = blocks(), []
    for name, wanted in DOCUMENTS.items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        for each in wanted:
            text = insert(text, made[each], each)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
