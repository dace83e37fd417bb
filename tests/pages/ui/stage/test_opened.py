"""A block of a run's code, opened: its training attacks, their coefficients, their sum."""

from __future__ import annotations

import asyncio
import base64
import json

import numpy as np
import pytest
import torch
from starlette.requests import Request

from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.stage import routes
from pages.ui.stage.opened import STRONGEST, NotThereError, block_of


def picture(found: dict) -> np.ndarray:
    whole = np.frombuffer(base64.b64decode(found["values"]), np.int8)
    return whole.astype(np.float64) / 127 * found["scale"]


def test_a_block_is_its_columns_times_their_coefficients(run, parts) -> None:
    frame, dictionary = run.runner.view().frames[-1], parts.bundle.dictionary
    energies = dictionary.energies(frame.c_a[0])
    label, attack = divmod(int(energies.argmax()), len(dictionary.attacks))
    found = block_of(run, 10_000, label, attack)
    assert found["k"] == frame.k
    assert found["of"] == dictionary.block_size == 6
    assert 0 < found["used"] <= STRONGEST, "so that all of them are shown"
    assert found["norm"] == pytest.approx(float(energies[label, attack]), rel=1e-5)
    sizes = [abs(each["coefficient"]) * np.linalg.norm(picture(each)) for each in found["columns"]]
    assert sizes == sorted(sizes, reverse=True), "the strongest first"
    summed = sum(each["coefficient"] * picture(each) for each in found["columns"])
    assert np.allclose(summed, picture(found["sum"]), atol=0.02 * found["sum"]["scale"])
    observed = run.runner.example.attacked[0].flatten()
    unexplained = observed - frame.image[0].flatten()
    assert found["before"] == pytest.approx(float(unexplained.norm()), rel=1e-4)
    own = dictionary.contributions(frame.c_a)[0, label, attack]
    assert found["left"] == pytest.approx(float((unexplained - own).norm()), rel=1e-4)
    assert torch.allclose(torch.tensor(picture(found["sum"])).float(), own, atol=0.01)


def test_the_iterate_is_the_one_of_the_step(run) -> None:
    begins = block_of(run, 5, 0, 0)
    assert begins["k"] == 5
    assert begins["columns"] == []
    assert begins["sum"]["scale"] == 0


def test_what_is_not_there_is_said(run, parts, settings) -> None:
    for label, attack in ((10, 0), (-1, 0), (0, 3)):
        with pytest.raises(NotThereError, match="no such block"):
            block_of(run, 5, label, attack)
    with pytest.raises(NotThereError, match="once the attack is made"):
        block_of(LiveRun(parts, settings, None, "idle"), 5, 0, 0)


def answered(key: str, query: str, host: str = "localhost:8501") -> tuple[int, bytes]:
    """Status and body of the route's answer to a browser that has a run's key."""
    headers = {"host": host, "origin": "http://localhost:8501", routes.KEY_HEADER: key}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/run/block",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    response = asyncio.run(routes.block(Request(scope)))
    return response.status_code, bytes(response.body)


def test_the_route_answers_who_has_the_key(run) -> None:
    LIVE_RUNS.add(run)
    try:
        status, body = answered(run.key, "k=17&label=3&attack=2")
        assert status == 200
        assert json.loads(body) == block_of(run, 17, 3, 2)
        assert answered("another", "k=17&label=3&attack=2")[0] == 404
        assert answered(run.key, "k=17&label=3")[0] == 400
        assert answered(run.key, "k=17&label=3&attack=two")[0] == 400
        assert answered(run.key, "k=17&label=3&attack=9")[0] == 409
        assert answered(run.key, "k=17&label=3&attack=2", "127.0.0.1:8501")[0] == 403
    finally:
        with LIVE_RUNS._lock:  # the other tests still use the run
            LIVE_RUNS._runs.pop(run.key)
