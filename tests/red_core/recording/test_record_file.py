"""The file of a run: what is written is read back, and nothing else is taken for one."""

from __future__ import annotations

import gzip
import json
import struct

import numpy as np
import pytest
import torch

from red_core.algorithm.observe import Iterate
from red_core.recording import record_file
from red_core.recording.record_file import (
    MAGIC,
    MOST_RECORDS,
    RecordError,
    RecordWriter,
    read_run,
    record_type,
    stride_of,
    write_run,
)

SHAPE = (1, 3, 5)  # 15 pixels: a record must be padded
HEADER = {"version": 1, "shape": list(SHAPE), "classes": ["a", "b"], "attacks": ["linf"]}


def iterate(k: int = 4, phase: str = "joint") -> Iterate:
    draw = torch.Generator().manual_seed(k)
    image = torch.rand(1, *SHAPE, generator=draw)
    one = torch.ones(1)
    return Iterate(
        k, phase, one[None], one[None], image, 0.1 * torch.randn(1, *SHAPE, generator=draw),
        3 * one, one, torch.tensor([[[0.5], [2.0]]]), 0.25 * one, 7 * one, 0.5 * one,
        torch.zeros(1, dtype=torch.long),
    )  # fmt: skip


def record(k: int = 4, phase: str = "joint") -> tuple[bytes, Iterate, torch.Tensor]:
    one, observed = iterate(k, phase), torch.full(SHAPE, 0.5)
    psi = torch.tensor([0.25, 0.75])
    writer = RecordWriter(SHAPE, 2, 1)
    return writer.iterate(one, observed, psi, 0.125, (1.5, -2.0), 0.75), one, observed


def test_a_record_holds_the_iterate_to_its_quantisation() -> None:
    blob, one, observed = record()
    assert len(blob) == record_type(SHAPE, 2, 1).itemsize
    assert len(blob) % 4 == 0
    (found,) = read_run(write_run(HEADER, [blob], [])).records
    assert [float(found[name]) for name in ("k", "phase", "loss", "gap", "mu", "seconds")] == [
        4, 2, 3, 0.25, 0.125, 0.75,
    ]  # fmt: skip
    assert found["psi"].tolist() == [0.25, 0.75]
    assert found["energy"].tolist() == [[0.5], [2.0]]
    assert (found["spot_x"], found["spot_y"]) == (1.5, -2.0)
    image = torch.from_numpy(found["image"].astype(np.float32)) / 255
    torch.testing.assert_close(image, one.image[0], atol=0.5 / 255 + 1e-6, rtol=0)
    scale = float(found["explained_scale"])
    explained = torch.from_numpy(found["explained"].astype(np.float32)) * scale / 127
    truth = observed - one.image[0] - one.residual[0]
    torch.testing.assert_close(explained, truth, atol=scale / 254 + 1e-6, rtol=0)


def test_before_the_alternation_nothing_is_explained() -> None:
    blob, _, _ = record(phase="start")
    (found,) = read_run(write_run(HEADER, [blob], [])).records
    assert found["explained_scale"] == 0
    assert not found["explained"].any()


def test_the_attack_has_records_of_its_own() -> None:
    writer = RecordWriter(SHAPE, 2, 1)
    blob = writer.attack(20, torch.full(SHAPE, 1.2), 0.5, torch.tensor([0.9, 0.1]), 0.25)
    (found,) = read_run(write_run(HEADER, [blob], [])).records
    assert (found["k"], found["phase"], found["loss"]) == (20, 0, 0.5)
    assert (found["image"] == 255).all(), "pixels beyond the range are clipped"
    assert np.isnan(found["spot_x"])


def test_header_and_events_come_back() -> None:
    events = [{"event": "verdict", "at": 2, "signal": 1}]
    run = read_run(write_run(HEADER, [record(k)[0] for k in (1, 2)], events))
    assert run.header == HEADER
    assert run.events == events
    assert run.records["k"].tolist() == [1, 2]


def whole(text: bytes, records: bytes = b"", magic: bytes = MAGIC) -> bytes:
    return gzip.compress(magic + struct.pack("<I", len(text)) + text + records, mtime=0)


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (b"", "no recorded run"),
        (b"PNG and so on", "no recorded run"),
        (write_run(HEADER, [record()[0]], [])[:-20], "no recorded run"),
        (whole(b"{}", magic=b"RED-FUN\n"), "no recorded run"),
        (whole(b"{}"), "damaged"),
        (whole(b"[]"), "damaged"),
        (whole(b"{nonsense"), "damaged"),
        (whole(json.dumps({**HEADER, "version": 9}).encode()), "version 9"),
        (whole(json.dumps({**HEADER, "count": 1, "events": []}).encode()), "incomplete"),
        (whole(json.dumps({**HEADER, "count": 2, "events": []}).encode(), record()[0]), "incomp"),
        (whole(json.dumps({**HEADER, "count": 1, "events": []}).encode(), record()[0][:-4]), "dam"),
        (whole(json.dumps({**HEADER, "shape": "wide", "count": 0}).encode()), "damaged"),
    ],
    ids=[
        "empty", "text", "cut", "magic", "no-header", "list", "no-json", "version", "no-records",
        "one-of-two", "short-record", "shape",
    ],
)  # fmt: skip
def test_what_is_no_run_is_refused_in_a_sentence(blob: bytes, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        read_run(blob)


def test_a_file_that_would_unpack_without_end_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(record_file, "MOST_BYTES", 1000)
    with pytest.raises(RecordError):
        read_run(whole(b" " * 2000))


@pytest.mark.parametrize("total", [1, 140, 600, 880, 881, 3500, 20_000])
def test_long_runs_are_thinned_evenly(total: int) -> None:
    stride = stride_of(total)
    assert total / stride <= 0.88 * MOST_RECORDS
    assert stride == 1 or total / (stride - 1) > 0.88 * MOST_RECORDS
