from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.landscape.landscape_presets import PRESETS
from pages.ui.landscape.landscape_request import (
    MAX_STARTS,
    PLANE_FAMILIES,
    LandscapeRequest,
    as_query,
    from_query,
    read_starts,
)
from red_core.data.datasets import DATASETS
from red_core.synthetic import ACTIVATIONS, InstanceSettings

NUMBER = st.floats(-50, 50)


@given(
    show=st.sampled_from(["synthetic", "run", "image"]),
    family=st.sampled_from(PLANE_FAMILIES),
    m=st.integers(20, 1000),
    layers=st.integers(1, 3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    scale=st.sampled_from([None, "1", "1/m", "1/d"]),
    seed=st.integers(0, 2**31 - 1),
    rate=st.floats(0.05, 10),
    starts=st.lists(st.tuples(NUMBER, NUMBER), max_size=MAX_STARTS),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    index=st.integers(0, 299),
    kind=st.sampled_from(["linf", "l2", "l1", "none"]),
    plane=st.sampled_from(["pca", "hessian", "difference", "random"]),
    dataset=st.sampled_from(sorted(DATASETS)),
    wdc=st.sampled_from([0.0, 1e-28, 1e-16, 0.01]),
)
def test_a_link_repeats_its_request_exactly(
    show,
    family,
    m,
    layers,
    activation,
    scale,
    seed,
    rate,
    starts,
    flags,
    index,
    kind,
    plane,
    dataset,
    wdc,
):
    settings = InstanceSettings(
        family=family, d=2, m=m, layers=layers, activation=activation, scale=scale, seed=seed,
        examples=1,
    )  # fmt: skip
    log, basins, teach = flags
    request = LandscapeRequest(
        show, settings, rate, log, basins, tuple(starts), index, kind, plane, teach, dataset, wdc
    )
    again, warnings = from_query(as_query(request))
    assert warnings == []
    assert again == request


def test_a_link_from_before_the_second_data_set_still_holds() -> None:
    request, warnings = from_query({"show": "digit", "index": "3"})
    assert warnings == []
    assert request == LandscapeRequest("image", index=3)


def test_a_data_set_that_is_not_there_is_named() -> None:
    request, warnings = from_query({"show": "image", "dataset": "cifar", "index": "3"})
    assert request == LandscapeRequest("image", index=3)
    assert len(warnings) == 1
    assert "dataset is left out: unknown data set 'cifar'" in warnings[0]


def test_a_constant_that_is_none_is_named() -> None:
    request, warnings = from_query({"wdc": "2"})
    assert request == LandscapeRequest()
    assert "wdc must lie between 0 and 1, not 2" in warnings[0]


def test_the_default_needs_no_query() -> None:
    assert as_query(LandscapeRequest()) == {}
    assert LandscapeRequest().settings.family == "two_rows"


@pytest.mark.parametrize(
    "bad",
    [
        {"show": "everything"},
        {"family": "hadamard"},
        {"family": "own"},
        {"m": "100000"},
        {"m": "many"},
        {"layers": "9", "family": "gaussian"},
        {"activation": "step"},
        {"parameter": "-1"},
        {"rate": "0"},
        {"rate": "nan"},
        {"log": "perhaps"},
        {"starts": "1"},
        {"starts": "1,2,3"},
        {"starts": "1,inf"},
        {"starts": "1,x;2,2"},
        {"starts": ";".join(["1,1"] * (MAX_STARTS + 1))},
        {"index": "-1"},
        {"kind": "l0"},
        {"plane": "flat"},
    ],
)
def test_a_bad_value_is_named_and_the_others_stand(bad: dict[str, str]) -> None:
    request, warnings = from_query({"seed": "5", **bad})
    assert len(warnings) == 1
    assert any(name in warnings[0] for name in bad)
    assert warnings[0].endswith(".")
    assert request.settings.seed == 5
    kept = {name: text for name, text in bad.items() if name == "family" and text == "gaussian"}
    assert request == from_query({"seed": "5", **kept})[0]


def test_starts_can_be_written_in_several_ways() -> None:
    assert read_starts("0.5, -1") == ((0.5, -1.0),)
    assert read_starts("0.5 -1; 2,0\n3,3;") == ((0.5, -1.0), (2.0, 0.0), (3.0, 3.0))
    assert read_starts("  ") == ()
    with pytest.raises(ValueError, match="two numbers"):
        read_starts("1, 2, 3")


def test_starts_are_what_the_link_says_of_them() -> None:
    assert LandscapeRequest(starts=((0.12345, 1.0),)).starts == ((0.123, 1.0),)


def test_more_than_two_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="d must be 2"):
        LandscapeRequest(settings=InstanceSettings(d=3))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_is_a_link(preset) -> None:
    assert from_query(as_query(preset.request)) == (preset.request, [])
    assert replace(preset.request, starts=()).settings.d == 2
