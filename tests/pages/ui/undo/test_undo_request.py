from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.undo.undo_request import (
    Request,
    as_query,
    canonical,
    from_query,
    pack_image,
    unpack_image,
)
from red_core.data.datasets import SHAPES
from red_core.run.settings import RunSettings


@given(
    source=st.sampled_from(["example", "realizable"]),
    attack=st.sampled_from(["linf", "l2", "l1", "none"]),
    eps=st.none() | st.floats(1e-3, 1.0),
    target=st.none() | st.integers(0, 9),
    preset=st.sampled_from(["best", "paper", "paper-frozen", "paper-published"]),
    steps=st.none() | st.integers(1, 5000),
    rate=st.none() | st.floats(1e-6, 10),
    seed=st.integers(0, 2**31 - 1),
    run=st.booleans(),
    teach=st.booleans(),
)
def test_a_link_repeats_its_request_exactly(
    source, attack, eps, target, preset, steps, rate, seed, run, teach
):
    solver = {"steps": steps, "signal_rate": rate}
    settings = RunSettings(
        source=source,
        attack=attack,
        eps=eps,
        target=target,
        preset=preset,
        solver=tuple(sorted((k, v) for k, v in solver.items() if v is not None)),
        seed=seed,
    )
    request = Request(canonical(settings), None, run, teach)
    again, warnings = from_query(as_query(request))
    assert warnings == []
    assert again == request


@pytest.mark.parametrize(
    ("bad", "kept"),
    [
        ({"eps": "-1"}, {}),
        ({"eps": "nan"}, {}),
        ({"eps": "1e9"}, {}),
        ({"attack_steps": "0"}, {}),
        ({"attack": "l7"}, {}),
        ({"index": "-4"}, {}),
        ({"index": "seven"}, {}),
        ({"seed": str(2**40)}, {}),
        ({"target": "11"}, {}),
        ({"preset": "fastest"}, {}),
        ({"dataset": "imagenet"}, {}),
        ({"device": "toaster"}, {}),
        ({"solver.steps": "1000000"}, {}),
        ({"solver.nothing": "1"}, {}),
        ({"solver.lambda_fraction": "inf"}, {}),
    ],
)
def test_a_bad_value_is_named_and_the_others_stand(bad, kept):
    good = {"seed": "5", "solver.restarts": "3"}
    good = {name: value for name, value in good.items() if name not in bad}
    request, warnings = from_query({**good, **bad})
    assert len(warnings) == 1
    assert next(iter(bad)) in warnings[0]
    assert warnings[0].endswith(".")
    expected, none = from_query(good)
    assert none == []
    assert request == expected


def test_a_budget_is_judged_by_its_own_attack_wherever_it_stands():
    request, warnings = from_query({"eps": "12", "attack": "l1"})
    assert warnings == []
    assert request.settings.eps == 12
    request, warnings = from_query({"eps": "12", "attack": "linf"})
    assert len(warnings) == 1
    assert request.settings.attack == "linf"


GREY, COLOUR = (1, 28, 28), (3, 32, 32)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("kind", ["eight bits", "float"])
def test_an_own_image_travels_exactly(kind, shape, monkeypatch):
    monkeypatch.setitem(SHAPES, "mnist", shape)
    image = torch.rand(shape)
    if kind == "eight bits":
        image = (image * 255).round().to(torch.uint8).float() / 255
    text = pack_image(image)
    assert len(text) < (6 if kind == "float" else 1.4) * image.numel()
    assert torch.equal(unpack_image(text, shape), image)
    request = Request(RunSettings(source="own"), image, run=True)
    again, warnings = from_query(as_query(request))
    assert warnings == []
    assert torch.equal(again.own, image)


def test_a_grey_link_of_old_means_the_same():
    ramp = torch.arange(784).reshape(GREY) % 256 / 255
    assert torch.equal(unpack_image(packed("b", bytes(i % 256 for i in range(784))), GREY), ramp)


@pytest.mark.parametrize(("had", "wanted"), [(GREY, COLOUR), (COLOUR, GREY)])
@pytest.mark.parametrize("kind", ["eight bits", "float"])
def test_an_image_of_another_data_set_is_refused(had, wanted, kind, monkeypatch):
    monkeypatch.setitem(SHAPES, "mnist", wanted)
    image = torch.zeros(had) if kind == "eight bits" else torch.rand(had)
    request, warnings = from_query({"source": "own", "image": pack_image(image)})
    assert warnings == ["The image in the link is damaged or incomplete and is left out."]
    assert request.own is None
    assert request.settings.source == "example"


def packed(kind: str, raw: bytes) -> str:
    return kind + base64.urlsafe_b64encode(zlib.compress(raw)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "x" + "A" * 40,
        "b????",
        "bAAAA",
        packed("b", b"\0" * 783),
        packed("b", b"\0" * 10_000_000),  # a bomb: read no further than an image goes
        packed("f", b"\0" * 784),
        packed("f", np.full(784, np.nan, "<f4").tobytes()),
        packed("f", np.full(784, 2.0, "<f4").tobytes()),
        "b" + "A" * 7000,
    ],
)
def test_a_damaged_image_is_refused_in_words(text):
    with pytest.raises(ValueError, match="image in the link"):
        unpack_image(text, GREY)
    request, warnings = from_query({"source": "own", "image": text, "attack": "l2"})
    assert len(warnings) == 1
    assert request.settings == RunSettings(source="example", attack="l2")


def test_a_missing_image_is_named():
    request, warnings = from_query({"source": "own"})
    assert "holds none" in warnings[0]
    assert request.settings.source == "example"


def test_what_the_paper_or_the_preset_sets_anyway_is_left_out():
    said = RunSettings(attack="l1", eps=10.0, attack_steps=100, preset="paper",
                       solver=(("restarts", 10), ("steps", 60)))  # fmt: skip
    assert canonical(said) == RunSettings(attack="l1", preset="paper", solver=(("steps", 60),))
    assert canonical(said).attack_settings() == said.attack_settings()
    assert canonical(said).solver_options() == said.solver_options()
