"""On CIFAR-10 the app and the command `run` go through the same iterates, preset by preset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pages.ui.live.compute_queue import FairLock
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.runner import Runner
from red_core.algorithm.presets import presets_of
from red_core.cli import main
from red_core.run.experiment import craft_example
from red_core.run.settings import RunSettings
from tests.pages.conftest import wait_until

STEPS = {"start_steps": 3, "steps": 4}


@pytest.mark.parametrize("preset", presets_of("cifar10"))
def test_presets_agree_between_app_and_command_line(
    preset: str, colour: LoadedModels, tmp_path: Path
) -> None:
    options = replace(presets_of("cifar10")[preset], **STEPS)
    if colour.bundle.encoder is None:  # the toy has none
        options = replace(options, encoder_start=False)
    changed = {name: getattr(options, name) for name in (*STEPS, "encoder_start")}
    settings = RunSettings(
        "cifar10", index=2, attack="l2", attack_steps=3, preset=preset,
        solver=tuple(changed.items()),
    )  # fmt: skip
    runner = Runner(colour, settings, craft_example(colour.bundle, settings), line=FairLock())
    view = wait_until(runner, lambda view: not view.busy)
    runner.close()
    assert view.state == "finished", view.error
    out = tmp_path / "run.npz"
    words = settings.as_command().split()
    line = words[words.index("run") : words.index("--json")]
    assert main([*line, "--npz", str(out)]) == 0
    kept = np.load(out)
    last = view.frames[-1]
    np.testing.assert_allclose(kept["z"], last.z[0].numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(kept["c_a"], last.c_a[0].numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(kept["signal"], last.image[0].numpy(), rtol=1e-4, atol=1e-5)
