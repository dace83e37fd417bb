from __future__ import annotations

import threading

import pytest
import torch

from pages.ui.compare.comparison import Comparison
from pages.ui.live import limits
from pages.ui.live.compute_queue import FairLock
from tests.pages.ui.compare.conftest import Broken, Slow, settled, until


@pytest.fixture
def compare(parts, fakes, started):
    def begin(*keys: str, kept=None, line=None, fitted=None) -> Comparison:
        image = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(1))
        return started(
            Comparison(
                parts.bundle, image, [7], keys, {} if fitted is None else fitted, kept,
                line or FairLock(),
            )
        )  # fmt: skip

    return begin


def by_key(view):
    return {one.key: one for one in view.attempts}


def test_methods_answer_one_after_another(compare) -> None:
    comparison = compare("fake", "slow", "namer")
    view = settled(comparison)
    assert view.state == "finished"
    assert [one.key for one in view.attempts] == ["fake", "slow", "namer"]
    assert {one.status for one in view.attempts} == {"done"}
    found = by_key(view)["slow"]
    assert found.answers.signal.tolist() == [3]
    assert found.answers.readings["rules"].signal.tolist() == [4]
    assert found.step == 12
    assert [frame.k for frame in found.frames] == list(range(1, 13))
    assert len(found.reads) == 12
    assert by_key(view)["namer"].answers.signal is None


def test_frames_come_while_a_method_is_at_work(compare, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.05)
    view = until(compare("slow"), lambda view: len(by_key(view)["slow"].frames) >= 3)
    now = by_key(view)["slow"]
    assert now.status == "running"
    assert view.running is now
    assert now.answers is None
    first, last = now.frames[0].image.float().mean(), now.frames[-1].image.float().mean()
    assert last > first
    assert now.seconds > 0


def test_one_that_fails_does_not_take_the_others_with_it(compare, monkeypatch) -> None:
    view = settled(compare("broken", "missing", "damaged", "fake"))
    assert view.state == "finished"
    found = by_key(view)
    assert found["broken"].error == "It failed: this image is not to its taste."
    assert found["missing"].status == found["damaged"].status == "missing"
    assert "nowhere.safetensors is not among the assets" in found["missing"].error
    assert found["damaged"].error == "its file is damaged"
    assert found["fake"].status == "done"


def test_an_unforeseen_error_goes_to_the_log_and_not_to_the_reader(
    compare, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(Broken, "fault", RuntimeError("/secret/path"))
    found = by_key(settled(compare("broken")))["broken"]
    assert "secret" not in found.error
    assert "/secret/path" in caplog.text


def test_stop_ends_the_method_at_work_and_keeps_what_was_seen(compare, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.02)
    monkeypatch.setattr(Slow, "steps", 10**6)
    comparison = compare("fake", "slow", "namer")
    until(comparison, lambda view: by_key(view)["slow"].step >= 3)
    comparison.stop()
    view = settled(comparison)
    assert view.state == "stopped"
    found = by_key(view)
    assert [found[key].status for key in ("fake", "slow", "namer")] == [
        "done",
        "stopped",
        "waiting",
    ]
    assert found["slow"].step >= 3
    assert found["slow"].frames


def test_what_has_been_answered_is_not_asked_again(compare, monkeypatch) -> None:
    first = settled(compare("fake", "broken"))
    kept = by_key(first)
    view = settled(compare("fake", "slow", "broken", kept=kept))
    found = by_key(view)
    assert found["fake"] is kept["fake"]
    assert found["broken"] is kept["broken"]
    assert found["slow"].status == "done"


def test_a_method_is_fitted_once_for_all(compare) -> None:
    fitted: dict = {}
    settled(compare("fake", fitted=fitted))
    fake = fitted["fake"]
    settled(compare("fake", fitted=fitted))
    assert fitted == {"fake": fake}


def test_it_waits_its_turn_and_can_leave_the_line(compare) -> None:
    line = FairLock()
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with line.turn():
            held.set()
            go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    comparison = compare("fake", line=line)
    until(comparison, lambda view: view.place == 1)
    comparison.stop()
    assert by_key(settled(comparison))["fake"].status in ("stopped", "waiting")
    go.set()
    holder.join()


def test_two_comparisons_share_the_line(compare, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.02)
    monkeypatch.setattr(Slow, "steps", 10**6)  # neither ends before the other has begun
    line = FairLock()
    both = [compare("slow", line=line) for _ in range(2)]
    for comparison in both:
        until(comparison, lambda view: by_key(view)["slow"].step >= 1)
    for comparison in both:
        comparison.stop()
        assert by_key(settled(comparison))["slow"].status == "stopped"


def test_what_is_kept_whole_is_finished_from_the_start(compare) -> None:
    kept = by_key(settled(compare("fake", "broken")))
    line = FairLock()
    with line.turn():  # its thread waits here, and ends nothing
        view = compare("fake", "broken", kept=kept, line=line).view()
        assert (view.state, view.busy) == ("finished", False)


def test_one_that_computes_for_too_long_is_stopped_and_says_so(compare, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.02)
    monkeypatch.setattr(Slow, "steps", 10**6)
    comparison = compare("slow", "fake")
    until(comparison, lambda view: by_key(view)["slow"].step >= 1)
    monkeypatch.setenv(limits.RUN_MINUTES.variable, "0")
    view = settled(comparison)
    assert (view.state, view.error) == ("stopped", limits.run_too_long())
    assert [one.status for one in view.attempts] == ["stopped", "waiting"]
