"""Many visitors at once: everybody gets their own run, and the load's command says what it saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from red_core.recording.record_file import RecordedRun, read_run, record_type
from red_core.recording.run_recorder import record_run
from red_core.run.bundle import load_bundle
from red_core.run.settings import RunSettings
from tests.browser import measure_load
from tests.browser.conftest import Server
from tests.browser.visitor import Watched, run_clients

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SESSIONS = 20
SOLVER = (("restarts", 1), ("start_steps", 5), ("steps", 30))
QUERY = "attack_steps=20&" + "&".join(f"solver.{name}={value}" for name, value in SOLVER)
LEAD = 0.02  # of the first answer: another batch size takes other kernels, which may turn a tie


def settings(index: int) -> RunSettings:
    return RunSettings(index=index, attack_steps=20, solver=SOLVER)


def last_images(header: dict[str, Any], records: np.ndarray) -> np.ndarray:
    """x' and G(z) of the end, [2, pixels]."""
    attack = records["phase"] == header["phases"].index("attack")
    ends = [records["image"][chosen][-1].ravel() for chosen in (attack, ~attack)]
    return np.stack(ends).astype(int)


def lead(verdict: dict[str, Any]) -> float:
    """By how much the first answer is before the second, of both questions the less."""
    names = ("signal_probabilities", "attack_probabilities")
    first = [sorted(verdict[name])[::-1] for name in names]
    return min(each[0] - each[1] for each in first)


def records_of(watched: Watched) -> np.ndarray:
    """The records that came over the socket."""
    header = watched.events["header"]
    kind = record_type(header["shape"], len(header["classes"]), len(header["attacks"]))
    return np.frombuffer(watched.records, kind)


def test_every_session_gets_the_run_of_its_own_image(server: Server) -> None:
    queries = [f"index={index}&{QUERY}" for index in range(SESSIONS)]
    watched = run_clients(measure_load.at_once(server.url, queries, 1.0, 600))
    bundle, clear = load_bundle("mnist", "cpu"), 0
    ends = []
    for index, each in enumerate(watched):
        assert each.failed == ""
        alone: RecordedRun = read_run(record_run(bundle, settings(index)))
        for name in ("settings", "clean", "label"):
            assert each.events["header"][name] == alone.header[name]
        own, records = last_images(alone.header, alone.records), records_of(each)
        assert len(records) == len(alone.records)
        ends.append(last_images(each.events["header"], records))
        assert np.abs(ends[-1] - own).max() <= 2  # of 255: rounding
        verdict = next(event for event in alone.events if event["event"] == "verdict")
        got = each.events["verdict"]
        for name in ("signal_probabilities", "attack_probabilities"):
            assert np.allclose(got[name], verdict[name], atol=LEAD / 2)
        if lead(verdict) > LEAD:
            clear += 1
            assert [got[name] for name in ("signal", "attack")] == [
                verdict[name] for name in ("signal", "attack")
            ]
    assert clear > SESSIONS / 2
    images = np.stack(ends)[:, 0]
    apart = np.abs(images[:, None] - images).max(-1) + 255 * np.eye(SESSIONS)
    assert apart.min() > 50  # nobody else's x' would have passed


def test_the_command_measures_every_part(tmp_path: Path, capsys) -> None:
    path = tmp_path / "load.json"
    counts = {"runs": 3, "rounds": 1, "ahead": 1, "visitors": 3, "within": 1, "visits": 4}
    counts |= {"minutes": 0.2, "together": 2}
    few = [word for name, count in counts.items() for word in (f"--{name}", str(count))]
    assert measure_load.main([*few, "--json", str(path)]) == 0
    found, shown = json.loads(path.read_text()), capsys.readouterr().out
    assert list(found) == list(measure_load.PARTS)
    assert found["runs"]["first records that came"] == found["runs"]["verdicts that came"] == 3
    assert found["beside"]["verdicts that came beside"] == 1
    assert found["beside"]["CIFAR-10 still computing at the end"] == 1
    assert found["lesson"]["visitors"] == 3
    assert found["visits"]["verdicts that came"] == 4
    assert found["steady"]["verdicts that came"] >= found["steady"]["visits"] - 2 > 0
    for part, figures in found.items():
        assert f"{part}: " in shown
        for name in figures:
            assert name in shown


def test_a_part_that_there_is_not(capsys) -> None:
    with pytest.raises(SystemExit):
        measure_load.main(["--only", "runs,walks"])
    assert "no part 'walks': choose runs, beside, lesson, visits, steady" in capsys.readouterr().err
