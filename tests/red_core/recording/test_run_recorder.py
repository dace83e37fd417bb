"""A run recorded from its first PGD step to its verdict."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import observe
from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import Readers, judge
from red_core.attacks.pgd import random_start
from red_core.data.datasets import CLASSES, ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.recording import run_recorder
from red_core.recording.record_file import MOST_RECORDS, read_run
from red_core.recording.run_recorder import RunRecorder, record_run
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, craft_example, start_seeds
from red_core.run.settings import RunSettings, item_seed
from red_core.sbsc import BlockDictionary
from red_core.theory import certify, row_space

SOLVER = (
    ("carry", 2),
    ("encoder_start", False),
    ("restarts", 2),
    ("start_steps", 5),
    ("steps", 12),
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        deltas = torch.randn(10, 3, 6, 784) * 0.1
        examples = ImageSet(torch.rand(5, 1, 28, 28), torch.arange(5), "toy examples")
        return Bundle(
            "mnist",
            CLASSES["mnist"],
            DCGANGenerator(latent=8, width=4).eval().requires_grad_(False),
            None,
            Readers(Table3CNN().eval().requires_grad_(False)),
            AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1")),
            examples,
            torch.device("cpu"),
        )


@pytest.fixture
def settings() -> RunSettings:
    return RunSettings(index=3, attack="l2", attack_steps=6, solver=SOLVER)


def test_every_moment_is_there_in_order(bundle: Bundle, settings: RunSettings) -> None:
    run = read_run(record_run(bundle, settings))
    phases = run.records["phase"].astype(int)
    assert phases.tolist() == [0] * 7 + [1] * 5 + [2] * 13
    assert run.records["k"][phases == 0].tolist() == list(range(7))
    assert run.records["k"][phases > 0].tolist() == list(range(18))
    assert len(run.records) == run.header["planned"]
    names = [event["event"] for event in run.events]
    assert names[0] == "attacked"
    assert names[-3:] == ["verdict", "certificate", "theory"]
    assert "surface" in names
    assert np.isnan(run.records["spot_x"][phases < 2]).all()
    assert np.isfinite(run.records["spot_x"][phases == 2]).all()


def test_the_records_are_the_iterates_of_the_plain_loop(
    bundle: Bundle, settings: RunSettings
) -> None:
    run = read_run(record_run(bundle, settings))
    made = craft_example(bundle, settings)
    observed = run.records["image"][run.records["phase"] == 0][-1] / 255
    assert np.abs(observed - made.attacked[0].numpy()).max() < 0.5 / 255 + 1e-6
    options = settings.solver_options()
    problem, state = begin_run(bundle, made.attacked, options, start_seeds(settings))
    path = [observe(problem, state, options)]
    while not finished(state, options):
        state = step(problem, state, options)
        path.append(observe(problem, state, options))
    for found, frame in zip(run.records[7:], path, strict=True):
        assert float(found["loss"]) == pytest.approx(float(frame.loss[0]), rel=1e-4)
        assert found["energy"] == pytest.approx(frame.block_energy[0].numpy(), rel=1e-3, abs=1e-4)
    verdict, certificate = run.events[-3:-1]
    assert verdict["k"] == 17
    assert verdict["signal"] == int(bundle.psi(path[-1].image).argmax())
    assert certificate["blocks"] == 30
    lam = None if verdict["rule_lambda"] is None else float(verdict["rule_lambda"])
    blocks = BlockDictionary.of_attacks(bundle.dictionary)
    expected = certify(problem, path[-1], lam, blocks)
    assert expected is not None
    assert (certificate["attack"], certificate["certain"]) == (expected.answer, expected.certain)
    assert certificate["residuals"] == pytest.approx(expected.residuals.amin(0).tolist(), rel=1e-3)


def test_the_attack_is_watched_without_being_changed(bundle: Bundle, settings: RunSettings) -> None:
    seen = []
    watched = craft_example(bundle, settings, watch=lambda *news: seen.append(news))
    torch.testing.assert_close(watched.attacked, craft_example(bundle, settings).attacked)
    assert [done for done, _, _ in seen] == list(range(6))
    assert seen[0][1].shape == (1, 1, 28, 28)
    assert seen[0][2].shape == (1, 10)


@pytest.mark.parametrize(
    ("change", "attacked"),
    [({"attack": "none"}, 1), ({"source": "realizable", "index": 0}, 1), ({}, 7)],
)
def test_nothing_to_craft_is_one_record(bundle, settings, change, attacked) -> None:
    run = read_run(record_run(bundle, replace(settings, **change)))
    assert int((run.records["phase"] == 0).sum()) == attacked
    assert run.header["exact_mu"] is (change.get("source") == "realizable")


def test_an_attack_that_is_its_own_random_start_says_so(bundle, settings) -> None:
    def still(attacked: torch.Tensor) -> bool:
        recorder = RunRecorder(bundle, settings)
        recorder.attacked(replace(made, attacked=attacked))
        event = json.loads(recorder.items[-1])
        return bool(event["still"])

    made, attack = craft_example(bundle, settings), settings.attack_settings()
    assert attack is not None
    assert not still(made.attacked)
    seeds = [item_seed(settings.seed, settings.index)]
    assert still(made.clean + random_start(made.clean, attack, seeds))


def test_an_own_image_has_no_label_until_somebody_says_it(bundle, settings) -> None:
    own = torch.rand(1, 28, 28)
    header = RunRecorder(bundle, replace(settings, source="own", index=0), own).header
    assert header["label"] is None
    named = replace(settings, source="own", index=0, label=4, attack="none")
    header = RunRecorder(bundle, named, own).header
    assert (header["label"], header["attack"]) == (4, None)


def test_a_long_run_keeps_its_phase_changes_and_single_steps(bundle, settings, monkeypatch) -> None:
    monkeypatch.setattr(run_recorder, "stride_of", lambda total: 4)
    run = read_run(record_run(bundle, settings))
    kept = run.records["k"][run.records["phase"] > 0].tolist()
    assert kept == [0, 4, 5, 8, 12, 16, 17]
    assert len(run.records) <= MOST_RECORDS
    recorder = RunRecorder(bundle, settings)
    made = craft_example(bundle, settings)
    recorder.attacked(made)
    options = settings.solver_options()
    problem, state = begin_run(bundle, made.attacked, options, start_seeds(settings))
    recorder.iterate(problem, observe(problem, state, options), 0.0)
    state = step(problem, state, options)
    before = len(recorder.items)
    recorder.iterate(problem, observe(problem, state, options), 0.0)
    assert len(recorder.items) == before
    recorder.iterate(problem, observe(problem, state, options), 0.0, single=True)
    assert len(recorder.items) == before + 1


def test_the_items_are_what_the_file_holds(bundle, settings) -> None:
    recorder = RunRecorder(bundle, settings)
    recorder.attacked(craft_example(bundle, settings))
    header, record, event = recorder.items
    assert json.loads(header)["event"] == "header"
    assert len(record) == recorder.header["record_bytes"]
    assert json.loads(event)["event"] == "attacked"
    run = read_run(recorder.file())
    assert run.records.tobytes() == record


def test_mu_is_exact_in_the_records_and_at_the_end_where_the_truth_is_known(
    bundle, settings
) -> None:
    chosen = replace(settings, source="realizable", index=0)
    run = read_run(record_run(bundle, chosen))
    z, c_a = craft_example(bundle, chosen).truth
    options, basis = chosen.solver_options(), row_space(bundle.dictionary)
    made = craft_example(bundle, chosen)
    problem, state = begin_run(bundle, made.attacked, options, start_seeds(chosen))
    frame = observe(problem, state, options)
    apart = torch.cat((frame.z - z, (frame.c_a - c_a) @ basis), dim=1).norm()
    wanted = float(frame.gradient_norm / apart)
    assert float(run.records["mu"][1]) == pytest.approx(wanted, rel=1e-3)
    theory = run.events[-1]
    assert theory["exact"]
    first = np.frombuffer(base64.b64decode(theory["mu"]), dtype="<f4")[0]
    assert float(first) == pytest.approx(wanted, rel=1e-3)


def test_a_run_stopped_between_two_records_keeps_its_last_iterate(
    bundle, settings, monkeypatch
) -> None:
    monkeypatch.setattr(run_recorder, "stride_of", lambda total: 4)
    recorder, made = RunRecorder(bundle, settings), craft_example(bundle, settings)
    recorder.attacked(made)
    options = settings.solver_options()
    problem, state = begin_run(bundle, made.attacked, options, start_seeds(settings))
    for _ in range(7):
        recorder.iterate(problem, last := observe(problem, state, options), 0.0)
        state = step(problem, state, options)
    recorder.verdict(judge(problem, last, bundle.readers), last, "stopped")
    run = read_run(recorder.file())
    assert float(run.records["k"][-1]) == 6
    assert np.isfinite(run.records["spot_x"][-1])
    assert [event["event"] for event in run.events][-2:] == ["surface", "verdict"]
    assert run.events[-2]["at"] == len(run.records), "the landscape of the last iterate"
