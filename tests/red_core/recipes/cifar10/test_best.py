"""What the preset `best` is trained from: stored attacks, runs on them, and who learns what."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import combined
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS
from red_core.data.assets import read_manifest, read_tensors
from red_core.data.datasets import ImageSet
from red_core.models.airbench import AirbenchNet
from red_core.models.evidence_model import EvidenceModel
from red_core.recipes.cifar10 import drawn_runs, held_out, runs, training
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks, without
from red_core.recipes.cifar10.clean_reader import CleanTrainer, along
from red_core.recipes.cifar10.pool import Pool, quick
from red_core.recipes.cifar10.reader import AGAINST, Cycle, ReaderTrainer, Size, fit_weights
from red_core.recipes.cifar10.reader import SIZES as READERS
from red_core.recipes.cifar10.runs import SIZES, Running, finished_runs, jobs_of, strengths
from red_core.recipes.cifar10.type_classifier import (
    NONE,
    TypeTrainer,
    kept_apart,
    second_differences,
)
from red_core.recipes.cifar10.type_classifier import SIZES as TYPES
from red_core.recipes.common import RecipeContext, load_checkpoint
from red_core.recipes.parts import make
from red_core.run.cifar10_parts import load_reader, load_types

PARTS = ("classifier", "generator", "diffusion", "dictionary")
LEARNERS = ("type_classifier", "reader", "evidence")


def stored_of(columns: int) -> StoredAttacks:
    """Grey images; the perturbation of attack j is j + 1 hundredths in every value."""
    images = torch.full((10, columns, 3, 32, 32), 0.5)
    deltas = torch.arange(1, 4)[None, :, None, None].expand(10, 3, columns, 3072) / 100
    indices = torch.arange(10 * columns).view(10, columns)
    return StoredAttacks(images, deltas.half(), indices, torch.arange(10))


def context_of(work: Path) -> RecipeContext:
    return RecipeContext("cifar10", work=work, scale="tiny")


# --- the attacks that D_a holds -------------------------------------------------------------


def test_a_stored_attack_at_any_strength() -> None:
    stored = stored_of(4)
    made = stored.attacked(slice(1, 3), 2, 1.5)
    assert made.shape == (20, 3, 32, 32)
    torch.testing.assert_close(made, torch.full_like(made, 0.545), atol=1e-4, rtol=0)
    each = stored.attacked(slice(0, 1), 0, torch.arange(10.0))
    torch.testing.assert_close(each[7, 0, 0, 0], torch.tensor(0.57), atol=1e-3, rtol=0)
    assert stored.attacked(slice(0, 1), 0, 1000.0).max() == 1
    assert stored.attacked(slice(0, 2), len(ATTACKS)).eq(0.5).all()
    assert stored.labels_of(slice(0, 2)).tolist() == [y for y in range(10) for _ in range(2)]


def test_an_image_does_not_find_its_own_atoms() -> None:
    torch.manual_seed(0)
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 3, 4, 12), ATTACKS)
    rest = without(dictionary, slice(1, 3))
    blocks = rest.atoms.view(12, 6, 4)
    assert blocks[:, :, 1:3].eq(0).all()
    assert blocks[:, :, ::3].equal(dictionary.atoms.view(12, 6, 4)[:, :, ::3])
    assert dictionary.atoms.ne(0).all()  # the whole one stays as it is
    norm = torch.linalg.matrix_norm(rest.atoms.double(), 2).square()
    assert norm <= rest.operator_norm_squared + 1e-6


# --- the batches of runs --------------------------------------------------------------------


@pytest.mark.parametrize("scale", SIZES)
def test_every_answer_is_run_as_often(scale: str) -> None:
    stored = stored_of(200 if scale != "tiny" else 2)
    jobs = jobs_of(stored, SIZES[scale])
    assert len({job.key for job in jobs}) == len(jobs)
    for apart in (True, False):
        counts = Counter(job.attack for job in jobs if job.apart == apart)
        assert len(counts) == len(ATTACKS) + 1
        assert len(set(counts.values())) == 1
    for job in jobs:
        assert job.apart == (job.columns.start >= stored.learning)
        assert job.apart or job.columns.stop <= stored.learning


def test_half_of_the_strengths_are_the_papers(tmp_path: Path) -> None:
    job = jobs_of(stored_of(10), SIZES["cpu"])[0]
    drawn = strengths(context_of(tmp_path), job, 50)
    assert drawn[::2].eq(1).all()
    assert 0.4 <= drawn.min() < 0.6 < 1.4 < drawn.max() <= 1.6
    assert drawn.equal(strengths(context_of(tmp_path), job, 50))


# --- what the type classifier sees ----------------------------------------------------------


def test_the_type_classifier_never_sees_what_is_kept_apart() -> None:
    stored = stored_of(10)
    images = stored.images.clone()
    images[:, stored.learning :] = 0.9
    stored = StoredAttacks(images, stored.deltas, stored.indices, stored.labels)
    pixels = torch.full((120, 3, 32, 32), 0.5)
    pixels[kept_apart(stored, 120)] = 0.9
    assert kept_apart(stored, 120).sum() == 30
    drawn = torch.full((3, 3, 32, 32), 0.5)
    data = ImageSet(pixels, torch.zeros(120), "")
    trainer = TypeTrainer(TYPES["tiny"], data, stored, drawn, 0, "cpu")
    torch.manual_seed(0)
    for _ in range(10):
        made, kinds = trainer.batch()
        assert made.max() < 0.56
        away = (made - 0.5).flatten(1).mean(1)
        assert away[kinds == NONE].abs().max() < 1e-3
        # One to three hundredths, times 0.4 to 1.6: no clean image among them.
        assert away[kinds != NONE].min() > 0.003


def test_the_type_classifier_begins_blind_to_what_is_smooth() -> None:
    torch.manual_seed(0)
    kernels = second_differences(16)
    rows = torch.linspace(0, 1, 16)
    ramp = (rows[:, None] + 2 * rows).expand(1, 3, 16, 16)
    assert torch.nn.functional.conv2d(ramp, kernels).abs().max() < 1e-5
    noise = 0.01 * torch.randn(1, 3, 16, 16)
    assert torch.nn.functional.conv2d(noise, kernels).std() > 0.02
    assert kernels.flatten(1).norm(dim=1).min() > 0.1


def test_a_quarter_of_what_the_type_classifier_sees_is_drawn() -> None:
    stored, size = stored_of(10), TYPES["tiny"]
    data = ImageSet(torch.full((120, 3, 32, 32), 0.5), torch.zeros(120), "")
    trainer = TypeTrainer(size, data, stored, torch.full((3, 3, 32, 32), 0.2), 0, "cpu")
    torch.manual_seed(0)
    seen = {True: [], False: []}  # by whether it is attacked
    for _ in range(40):
        made, kinds = trainer.batch()
        for image, kind in zip(made, kinds, strict=True):
            seen[int(kind) != NONE].append(float(image.mean()) < 0.35)
    for drawn in seen.values():
        assert sum(drawn) / len(drawn) == pytest.approx(size.of_drawn, abs=0.1)


# --- the evidence's drawn pictures ----------------------------------------------------------


def test_perturbations_on_drawn_pictures_are_those_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grey(device: str, seeds: range) -> torch.Tensor:
        return torch.full((len(seeds), 3, 32, 32), 0.5)

    monkeypatch.setattr(drawn_runs, "drawn_pictures", grey)
    stored = stored_of(10)
    deltas = stored.deltas.clone()
    deltas[:, :, : stored.learning] = 0.3  # of none of these
    stored = StoredAttacks(stored.images, deltas, stored.indices, stored.labels)
    for attack in range(len(ATTACKS)):
        made = drawn_runs.perturbed(stored, context_of(tmp_path), attack)
        away = (made - 0.5).flatten(1).mean(1)
        full = (attack + 1) / 100
        torch.testing.assert_close(away[::2], torch.full_like(away[::2], full), atol=1e-3, rtol=0)
        assert bool(((away >= 0.39 * full) & (away <= 1.61 * full)).all())
    clean = drawn_runs.perturbed(stored, context_of(tmp_path), len(ATTACKS))
    assert clean.eq(0.5).all()


# --- the pool, and what the reader learns ---------------------------------------------------


def pool_of(images: int) -> Pool:
    """Grey images; the perturbation of attack j is j + 1 hundredths in every value."""
    shape = (len(ATTACKS), images, 3, 32, 32)
    deltas = torch.arange(1, 4).view(-1, 1, 1, 1, 1).expand(shape) / 100
    return Pool(torch.full(shape[1:], 0.5), deltas.half(), torch.arange(images) % 10, {})


def test_the_pool_is_drawn_at_every_strength_and_kind() -> None:
    torch.manual_seed(0)
    drawn = pool_of(20).drawn(600, strongest=1.5)
    away = (drawn.attacked - drawn.clean).flatten(1).mean(1)
    assert away.min() < 0.005
    assert 0.04 < away.max() <= 0.0451  # the third attack at one and a half times its strength
    assert len(drawn.labels.unique()) == 10


def test_quick_attacks_keep_the_papers_eps() -> None:
    for kind in ATTACKS:
        settings, made = PAPER_ATTACKS["cifar10"][kind], quick(kind)
        assert made.eps == settings.eps
        assert made.steps * made.step_size == pytest.approx(2.5 * made.eps)


def test_rates_follow_the_lines() -> None:
    points = ((0, 0.2), (0.25, 1), (1, 0))
    assert [along(points, at) for at in (0, 0.125, 0.25, 0.625, 1)] == pytest.approx(
        [0.2, 0.6, 1, 0.5, 0]
    )


def test_each_cycle_has_a_rate_of_its_own() -> None:
    size = Size((8,), 1, (Cycle(20, 0.4, AGAINST), Cycle(10, 0.2)))
    assert size.steps == 30
    rates = [size.at(step)[1] for step in range(30)]
    assert max(rates) == rates[1] == pytest.approx(0.4)
    assert max(rates[20:]) == rates[20] == pytest.approx(0.2)
    assert rates[19] == rates[29] == pytest.approx(0)
    assert [size.at(step)[0].against for step in (0, 19, 20, 29)] == [AGAINST, AGAINST, 0, 0]


def test_half_of_a_batch_moves_against_the_reader() -> None:
    torch.manual_seed(0)
    data = ImageSet(torch.rand(64, 3, 32, 32), torch.arange(64) % 10, "")
    first = CleanTrainer(AirbenchNet((8, 8, 8)), data, 1, 0, "cpu")
    trainer = ReaderTrainer(READERS["tiny"], first.network, None, 0, "cpu")
    moved = trainer.against_itself(data.images, data.labels, AGAINST)
    away = (moved - data.images).abs().flatten(1).amax(1)
    assert away[1::2].eq(0).all()
    assert away[::2].gt(0).all()
    assert away.max() <= AGAINST + 1e-6
    with torch.no_grad():
        losses = [
            torch.nn.functional.cross_entropy(trainer.network(images)[::2], data.labels[::2])
            for images in (data.images, moved)
        ]
    assert losses[1] > losses[0]


def test_the_weights_follow_who_is_right() -> None:
    torch.manual_seed(0)
    labels = torch.randint(10, (400,))
    right = torch.nn.functional.one_hot(labels, 10).float() * 2
    read = torch.stack(
        [(right + noise * torch.randn(400, 10)).log_softmax(1) for noise in (0.7, 5.0, 50.0)], 1
    )
    weights = fit_weights(read, labels)
    assert weights[0] > 5 * weights[1] > 0
    assert weights[2] < 0.05
    alone = torch.nn.functional.cross_entropy(read[:, 0], labels)
    assert torch.nn.functional.nll_loss(combined(read, weights).log(), labels) <= alone


# --- the recipes ----------------------------------------------------------------------------


@pytest.fixture
def made(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder with everything that the learners need; every step is kept."""
    monkeypatch.setattr(training.train, "__defaults__", (0.0,))
    make(context_of(tmp_path / "work"), PARTS)
    return tmp_path / "work"


def content(work: Path, name: str) -> bytes:
    return (work / "tiny-assets" / "cifar10" / f"{name}.safetensors").read_bytes()


@pytest.mark.timeout(900)  # ten times slower where other work holds the cores
def test_stopped_learners_end_alike(made: Path, tmp_path: Path, monkeypatch) -> None:
    """Stopped in the runs, in the crafting and in both trainings; then once without."""

    class Stopped(Exception):
        pass

    def stop(owner: Any, name: str, calls: int) -> None:
        real, seen = getattr(owner, name), []

        def stopping(*args: Any, **kwargs: Any) -> Any:
            if len(seen) == calls:
                raise Stopped
            seen.append(1)
            return real(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, stopping)
            with pytest.raises(Stopped):
                make(context_of(made), LEARNERS)

    before = tmp_path / "before"
    subprocess.run(["cp", "-r", str(made), str(before)], check=True)
    stop(TypeTrainer, "step", 2)
    stop(held_out, "craft", 2)
    stop(CleanTrainer, "step", 0)
    stop(Running, "__call__", 6)
    stop(ReaderTrainer, "step", 1)
    kept = load_checkpoint(context_of(made).checkpoint("reader"))
    assert kept is not None
    assert kept["step"] == 1
    make(context_of(made), LEARNERS)
    make(context_of(before), LEARNERS)
    for name in ("type-classifier", "reader", "evidence"):
        assert content(made, name) == content(before, name), name


def test_what_is_written(made: Path, monkeypatch) -> None:
    make(context_of(made), LEARNERS)
    monkeypatch.setenv("RED_ASSETS", str(made / "tiny-assets"))
    manifest, images = read_manifest("cifar10"), torch.rand(4, 3, 32, 32)
    reader, temperature = load_reader()
    assert reader(images).shape == (4, 10)
    assert temperature > 0
    assert load_types()(images).shape == (4, len(ATTACKS) + 1)
    model = EvidenceModel.from_tensors(read_tensors("cifar10", "evidence.safetensors"))
    # A quarter of ten images under four answers, and of as many drawn pictures.
    assert len(model.held_out) == (40 + 4 * drawn_runs.COUNTS["tiny"]) // 4
    for name in ("type-classifier", "reader", "evidence"):
        measured = manifest[f"{name}.safetensors"]["measured"]
        assert measured["held_out_images"] == 4 * held_out.COUNTS["tiny"]
    stored = stored_attacks()
    assert (stored.columns, stored.learning) == (2, 1)


def test_other_numbers_of_best_make_other_runs(made: Path, monkeypatch) -> None:
    context = context_of(made)
    with monkeypatch.context() as patch:
        patch.setenv("RED_ASSETS", str(made / "tiny-assets"))
        first = finished_runs(context)
        assert first.images.shape == (80, len(runs.MARKS), 3, 32, 32)
        assert first.features.isfinite().all()
        assert first.apart.sum() == 40
        patch.setattr(Running, "__call__", lambda *_: pytest.fail("it was run before"))
        assert finished_runs(context).images.equal(first.images)
        patch.setattr(runs, "made_by", lambda: ["another generator"])
        with pytest.raises(pytest.fail.Exception):
            finished_runs(context)
