from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import pytest
import torch

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.runner import THREAD_NAME, Runner
from red_core.recording.run_recorder import RunRecorder
from red_core.run.experiment import begin_run, craft_example, start_seeds
from red_core.run.settings import RunSettings
from red_core.theory import row_space
from tests.pages.conftest import QUICK, wait_until
from tests.red_core.stepping import Run


def threads() -> int:
    return sum(thread.name == THREAD_NAME for thread in threading.enumerate())


@pytest.fixture
def start(parts: LoadedModels, settings: RunSettings):
    runners = []

    def begin(**kwargs) -> Runner:
        chosen = kwargs.pop("settings", settings)
        made = craft_example(parts.bundle, chosen) if kwargs.pop("crafted", True) else None
        runners.append(Runner(parts, chosen, made, **kwargs))
        return runners[-1]

    yield begin
    for runner in runners:
        runner.close()


def test_a_run_records_every_iterate_of_the_solver(parts, settings, start):
    view = wait_until(start(), lambda view: not view.busy)
    assert view.state == "finished"
    made = craft_example(parts.bundle, settings)
    options = settings.solver_options()
    begun = begin_run(parts.bundle, made.attacked, options, start_seeds(settings))
    expected = list(Run.of(*begun, options).path())
    assert [frame.k for frame in view.frames] == [iterate.k for iterate in expected]
    for frame, iterate in zip(view.frames, expected, strict=True):
        torch.testing.assert_close(frame.z, iterate.z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(frame.loss, iterate.loss, rtol=1e-4, atol=1e-5)
    assert view.verdict is not None


def test_a_paused_run_waits_and_takes_single_steps(start):
    runner = start(paused=True)
    view = wait_until(runner, lambda view: not view.busy)
    assert (view.state, view.k, len(view.frames)) == ("paused", 0, 1)
    for _ in range(5):
        runner.step("both", wait=30)
    view = runner.view()
    assert view.k == 5
    assert view.frames[-1].phase == "joint"
    runner.step("z", wait=30)
    moved = runner.view().frames
    assert not torch.equal(moved[-1].z, moved[-2].z)
    assert torch.equal(moved[-1].c_a, moved[-2].c_a)
    runner.step("c_a", wait=30)
    moved = runner.view().frames
    assert torch.equal(moved[-1].z, moved[-2].z)
    assert not torch.equal(moved[-1].c_a, moved[-2].c_a)
    runner.resume()
    assert wait_until(runner, lambda view: view.ended).state == "finished"


def test_pause_holds_a_running_run(start):
    runner = start(speed=50.0)
    wait_until(runner, lambda view: view.k >= 2)
    runner.pause()
    current = wait_until(runner, lambda view: not view.busy)
    time.sleep(0.2)
    assert runner.view().k == current.k < current.total
    assert runner.view().state == "paused"


def test_slow_motion_keeps_its_pace_and_changes_no_iterate(start):
    slow, quick = start(speed=20.0), start()
    began = time.monotonic()
    view = wait_until(slow, lambda view: view.ended)
    assert time.monotonic() - began > 0.8 * view.total / 20
    other = wait_until(quick, lambda view: view.ended)
    assert torch.equal(view.frames[-1].z, other.frames[-1].z)


def test_stop_judges_what_there_is(start):
    runner = start(speed=20.0)
    wait_until(runner, lambda view: view.k >= 3)
    runner.stop()
    view = wait_until(runner, lambda view: not view.busy)
    assert view.state == "stopped"
    assert view.k < view.total
    assert view.verdict is not None


def test_close_ends_the_thread_whatever_it_does(start):
    before = threads()
    running, paused = start(speed=1.0), start(paused=True)
    wait_until(paused, lambda view: not view.busy)
    for runner in (running, paused):
        runner.close()
        runner._thread.join(5)
        assert not runner._thread.is_alive()
    assert threads() == before


def test_mu_is_exact_and_live_where_the_truth_is_known(parts, start):
    settings = RunSettings(source="realizable", attack="l2", solver=QUICK)
    view = wait_until(start(settings=settings), lambda view: not view.busy)
    z, c_a = craft_example(parts.bundle, settings).truth
    frame = view.frames[4]
    apart = torch.cat((frame.z - z, (frame.c_a - c_a) @ parts.basis), dim=1).norm()
    assert view.theory is not None
    assert view.theory.exact
    assert view.theory.mu[4] == pytest.approx(float(frame.gradient_norm / apart), rel=1e-3)


def test_mu_of_a_real_image_comes_at_the_end_and_has_no_value_there(start):
    view = wait_until(start(), lambda view: not view.busy)
    assert view.theory is not None
    assert not view.theory.exact
    assert view.theory.mu[-1] != view.theory.mu[-1]
    assert all(value > 0 for value in view.theory.mu[:-1])


def test_a_run_in_colour_over_z_of_two_dimensions(colour, in_colour):
    made = craft_example(colour.bundle, in_colour)
    runner = Runner(colour, in_colour, made, line=FairLock())
    view = wait_until(runner, lambda view: not view.busy)
    runner.close()
    assert view.state == "finished", view.error
    frame = view.frames[-1]
    assert frame.z.shape == (1, 9, 16)
    assert frame.image.shape == (1, 3, 32, 32)
    assert view.theory is not None
    z, c_a = view.frames[-1].z, view.frames[-1].c_a
    first = view.frames[4]
    apart = torch.cat(((first.z - z).flatten(1), (first.c_a - c_a) @ colour.basis), dim=1).norm()
    assert view.theory.mu[4] == pytest.approx(float(first.gradient_norm / apart), rel=1e-3)
    assert any(value > 0 for value in view.theory.proximal_pl)


@pytest.mark.parametrize("source", ["example", "realizable"])
def test_a_run_with_a_diffusion_model_has_no_latent_space(colour, in_colour, source):
    solver = (("noise_levels", 2), ("steps", 3), ("inner", 2))
    chosen = replace(in_colour, preset="bsd-dp", solver=solver, source=source)
    recorder = RunRecorder(colour.bundle, chosen)
    runner = Runner(colour, chosen, None, recorder=recorder, line=FairLock())
    view = wait_until(runner, lambda view: not view.busy)
    runner.close()
    assert view.state == "finished", view.error
    assert recorder.plane is None
    assert not recorder.header["exact_mu"]
    assert view.theory is None, "the theorems speak of z"
    assert view.verdict is not None


def test_the_basis_comes_with_the_end_of_a_run_and_once(monkeypatch, parts, settings):
    calls = []
    monkeypatch.setattr(
        "red_core.theory.dictionary_parts.row_space",
        lambda given: calls.append(given) or row_space(given),
    )
    fresh = LoadedModels(parts.bundle)
    made = craft_example(parts.bundle, settings)
    paused = Runner(fresh, settings, made, paused=True, line=FairLock())
    paused.step("both", wait=30)
    assert fresh.rank is None
    paused.resume()
    wait_until(paused, lambda view: not view.busy)
    assert fresh.rank == fresh.basis.shape[1]
    again = Runner(fresh, settings, made, line=FairLock())
    wait_until(again, lambda view: not view.busy)
    for runner in (paused, again):
        runner.close()
    assert len(calls) == 1


def test_the_basis_is_computed_once_for_all_who_ask_at_once(monkeypatch, parts):
    calls, go = [], threading.Event()

    def slow(given):
        calls.append(given)
        assert go.wait(60)
        return row_space(given)

    monkeypatch.setattr("red_core.theory.dictionary_parts.row_space", slow)
    fresh, found = LoadedModels(parts.bundle), []
    asking = [threading.Thread(target=lambda: found.append(fresh.basis)) for _ in range(4)]
    for thread in asking:
        thread.start()
    assert fresh.rank is None  # it does not wait for what takes until `go`
    go.set()
    for thread in asking:
        thread.join()
    assert len(calls) == 1
    assert all(basis is found[0] for basis in found)


def test_a_diverging_run_says_so(settings, start):
    wild = dict(settings.solver) | {"signal_step": "gradient", "signal_rate": 10.0}
    runner = start(settings=replace(settings, solver=tuple(sorted(wild.items()))))
    # The toy's G is bounded, so force it: a loss that is not finite must end the run in words.
    runner.add_iterate = lambda iterate, began: (_ for _ in ()).throw(
        FloatingPointError("too large")
    )
    view = wait_until(runner, lambda view: view.ended)
    assert (view.state, view.error) == ("failed", "too large")


def test_running_out_of_memory_names_the_cpu(monkeypatch, start):
    def full(*_args):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("pages.ui.live.runner.begin_from", full)
    view = wait_until(start(), lambda view: view.ended)
    assert view.state == "failed"
    assert "CPU" in view.error


def test_an_unforeseen_error_is_shown_without_its_traceback(monkeypatch, start):
    def broken(*_args):
        raise RuntimeError("secret path")

    monkeypatch.setattr("pages.ui.live.runner.begin_from", broken)
    view = wait_until(start(), lambda view: view.ended)
    assert view.state == "failed"
    assert "secret" not in view.error


def test_runs_take_turns_and_know_their_place(start):
    line = FairLock()
    with line.turn():
        runner = start(line=line)
        view = wait_until(runner, lambda view: view.place == 1)
        assert view.frames == ()
    assert wait_until(runner, lambda view: view.ended).state == "finished"


def test_two_runs_share_the_line_and_both_arrive(start):
    line = FairLock()
    runners = [start(line=line) for _ in range(3)]
    for runner in runners:
        assert wait_until(runner, lambda view: view.ended).state == "finished"


def test_a_run_stopped_in_line_leaves_it(start):
    line = FairLock()
    with line.turn():
        runner = start(line=line)
        wait_until(runner, lambda view: view.place == 1)
        runner.stop()
        view = wait_until(runner, lambda view: not view.busy)
        assert view.state == "stopped"
        assert view.verdict is None
    with line.turn() as mine:
        assert mine


@dataclass
class Attack:
    """One that takes steps until `go`, or for ever; `begun` when its first is over."""

    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def endless(monkeypatch) -> Attack:
    """The first attack that is made; the others are as they are."""
    attack = Attack()

    def craft(bundle, settings, own, watch):
        image = bundle.examples.images[:1]
        if not attack.begun.is_set():
            while not attack.go.is_set():
                watch(0, image, bundle.psi(image))
                attack.begun.set()
        return craft_example(bundle, settings, own, watch)

    monkeypatch.setattr("pages.ui.live.runner.craft_example", craft)
    return attack


def test_a_run_gets_its_first_picture_while_the_attack_of_another_is_made(start, endless) -> None:
    line = FairLock()
    first = start(line=line, crafted=False)
    assert endless.begun.wait(20)
    second = start(line=line, crafted=False)
    wait_until(second, lambda view: view.frames)
    assert not first.view().frames
    endless.go.set()
    assert wait_until(first, lambda view: view.ended).state == "finished"
    assert wait_until(second, lambda view: view.ended).state == "finished"


def test_a_run_gets_its_first_picture_while_the_gap_of_another_is_read(
    start, parts, settings, monkeypatch
) -> None:
    line, reading, others = FairLock(), threading.Event(), []

    def endless(problem, iterate, rule, blocks, between):
        reading.set()
        while not (others and others[0].view().frames):
            between()

    monkeypatch.setattr("pages.ui.live.runner.certify", endless)
    first = start(line=line, recorder=RunRecorder(parts.bundle, settings))
    assert reading.wait(60)
    others.append(start(line=line))
    assert wait_until(others[0], lambda view: not view.busy).state == "finished"
    assert wait_until(first, lambda view: not view.busy).state == "finished"


def test_a_stop_while_the_attack_is_made_waits_for_it_and_judges(start, endless) -> None:
    runner = start(line=FairLock(), crafted=False)
    assert endless.begun.wait(20)
    runner.stop()
    endless.go.set()
    view = wait_until(runner, lambda view: not view.busy)
    assert view.state == "stopped"
    assert view.verdict is not None


def test_a_close_while_the_attack_is_made_ends_it(start, endless) -> None:
    runner = start(line=FairLock(), crafted=False)
    assert endless.begun.wait(20)
    runner.close()
    runner._thread.join(20)
    assert not runner._thread.is_alive()
    assert runner.view().state == "running", "nothing has failed"


def test_an_attack_that_cannot_be_made_says_why(monkeypatch, parts, settings) -> None:
    def refused(*_args):
        raise ValueError("AdverTorch's l1 attack does not run on mps: choose the device cpu")

    monkeypatch.setattr("pages.ui.live.runner.craft_example", refused)
    runner = Runner(parts, settings, None, line=FairLock())
    view = wait_until(runner, lambda view: not view.busy)
    runner.close()
    assert view.state == "failed"
    assert view.error.endswith("choose the device cpu.")
