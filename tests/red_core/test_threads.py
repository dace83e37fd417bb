"""One thread for one image, every core for a batch; and the choice ends with its block."""

import json
import threading
from pathlib import Path

import pytest
import torch

from red_core.cli import main
from red_core.threads import BATCH, computing_on, threads_for


def test_single_images_take_one_thread_and_batches_every_core(monkeypatch) -> None:
    monkeypatch.setattr("red_core.threads.cores", lambda: 6)
    assert [threads_for(items) for items in (1, BATCH - 1, BATCH, 100)] == [1, 1, 6, 6]


def test_the_number_is_that_of_before_afterwards() -> None:
    before = torch.get_num_threads()
    with computing_on(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="x"), computing_on(before + 1):
        int("x")
    assert torch.get_num_threads() == before


def test_the_number_holds_for_the_calling_thread_alone() -> None:
    seen = []
    with computing_on(1):
        thread = threading.Thread(
            target=lambda: (torch.set_num_threads(2), seen.append(torch.get_num_threads()))
        )
        thread.start()
        thread.join()
        assert torch.get_num_threads() == 1
    assert seen == [2]


@pytest.mark.parametrize(("words", "threads"), [([], 1), (["--threads", "2"], 2)])
def test_the_command_run_computes_on_one_thread_where_nothing_else_is_asked(
    words: list[str], threads: int, toy_assets: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "run.json"
    few = ["--preset", "paper", "--steps", "2"]
    for option in ("restarts=1", "start_steps=1", "steps=2"):
        few += ["--set", option]
    assert main(["run", *few, *words, "--json", str(out)]) == 0
    assert json.loads(out.read_text())["provenance"]["threads"] == threads
