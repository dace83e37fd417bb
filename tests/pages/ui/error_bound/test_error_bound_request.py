from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pages.ui.error_bound.error_bound_presets import ALL_PRESETS, models_of
from pages.ui.error_bound.error_bound_request import (
    OWN_FILE,
    ErrorBoundRequest,
    as_query,
    command,
    from_query,
)
from pages.ui.error_bound.matrix import as_npy
from red_core.cli import build_parser
from red_core.synthetic import FAMILIES, InstanceSettings

OWN = torch.tensor([[1.0, 0.1], [0.2, 3.0], [-1.0, 1 / 3]], dtype=torch.float64)
REQUESTS = {
    "default": ErrorBoundRequest(),
    "attacked": ErrorBoundRequest(
        settings=InstanceSettings(attack=True, training=12, seed=7),
        method="alternating",
        steps=321,
        eta=0.1 + 0.2,
    ),
    "proximal": ErrorBoundRequest(
        settings=InstanceSettings(activation="softplus", parameter=3.5, attack=True, start="near"),
        method="proximal",
        lambda_fraction=0.35,
    ),
    "small": ErrorBoundRequest(
        settings=InstanceSettings(m=4, d=2, layers=3), eta="theorem", teach=True
    ),
    "own": ErrorBoundRequest(settings=InstanceSettings(family="own"), own=OWN, run=True),
    **{preset.name: preset.request for preset in ALL_PRESETS},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_link_holds_everything(name: str):
    request = REQUESTS[name]
    again, warnings = from_query(as_query(request))
    assert warnings == []
    assert again.key == request.key
    assert (again.run, again.teach) == (request.run, request.teach)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "own"])
def test_a_link_to_the_defaults_of_a_family_is_short(family: str):
    query = as_query(ErrorBoundRequest(settings=InstanceSettings(family=family)))
    assert set(query) <= {"family"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"family": "rembrandt"}, "family"),
        ({"m": "many"}, "m must be a whole number"),
        ({"m": "5000"}, "m must"),
        ({"m": "1500"}, "at most 1000"),
        ({"d": "51", "m": "200"}, "at most 50"),
        ({"examples": "101"}, "at most 100"),
        ({"activation": "relu", "parameter": "0.3"}, "no parameter"),
        ({"steps": "0"}, "steps must lie"),
        ({"steps": "999999"}, "steps must lie"),
        ({"eta": "large"}, "eta must be one of"),
        ({"eta": "-1"}, "eta must lie"),
        ({"eta": "nan"}, "eta must be"),
        ({"method": "magic"}, "method"),
        ({"show": "figure9"}, "show"),
        ({"attack": "perhaps"}, "attack"),
        ({"family": "own"}, "matrix of your own but holds none"),
        ({"family": "own", "W": "3x2.AAAA"}, "damaged or incomplete"),
    ],
)
def test_a_bad_value_is_dropped_with_a_sentence_and_the_others_stand(query, said):
    request, warnings = from_query({"seed": "5", **query})
    assert any(said in warning for warning in warnings), warnings
    assert all(warning.endswith(".") for warning in warnings)
    assert request.settings.seed == 5


def test_values_that_fit_only_together_are_taken_together():
    request, warnings = from_query({"m": "3", "d": "2"})
    assert warnings == []
    assert (request.settings.m, request.settings.d) == (3, 2)


def test_without_an_attack_there_is_only_inversion():
    assert ErrorBoundRequest(method="proximal").method == "inversion"


def test_theorem_8_brings_its_own_step():
    settings = InstanceSettings(attack=True)
    assert ErrorBoundRequest(settings=settings, method="proximal", eta="theorem").eta == "safe"


def test_the_own_matrix_sets_m_and_d():
    assert REQUESTS["own"].settings.m == 3
    assert REQUESTS["own"].settings.d == 2


class Asked(Exception):
    """What the command line was about to compute."""


def asked_of(request: ErrorBoundRequest, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple:
    """What the request's command computes; the user's matrix lies in `folder`."""

    def tell(*what):
        raise Asked(*what)

    for name in ("verify", "proximal_report", "expansiveness", "run_examples"):
        monkeypatch.setattr(f"red_core.cli.theory.{name}", lambda *args, **_: tell(*args))
    words = shlex.split(command(request))
    assert words[:3] == ["python", "-m", "red_core"]
    if request.own is not None:
        (folder / OWN_FILE).write_bytes(as_npy(request.own))
    monkeypatch.chdir(folder)
    arguments = build_parser().parse_args(words[3:])
    with pytest.raises(Asked) as told:
        arguments.execute(arguments)
    return told.value.args


@pytest.mark.parametrize(
    "name", [n for n, r in REQUESTS.items() if r.show == "descent" and r.method != "proximal"]
)
def test_the_command_computes_the_same_descent(name: str, monkeypatch, tmp_path):
    request = REQUESTS[name]
    asked, own = asked_of(request, monkeypatch, tmp_path)
    # m and d of the user's matrix are read from the file.
    shape = {"m": request.settings.m, "d": request.settings.d} if request.own is not None else {}
    assert replace(asked.settings, **shape) == request.settings
    assert asked.options == request.options()
    assert request.eta in (asked.step, asked.options.eta)
    assert (own is None) == (request.own is None)
    assert own is None or torch.equal(own, request.own)


def test_the_command_computes_the_same_proximal_descent(monkeypatch, tmp_path):
    request = REQUESTS["proximal"]
    settings, options, step, *_ = asked_of(request, monkeypatch, tmp_path)
    assert (settings, options, step) == (request.settings, request.options(), request.eta)


@pytest.mark.parametrize("name", ["Figure 1", "Figure 3", "All examples"])
def test_the_command_computes_the_same_study(name: str, monkeypatch, tmp_path):
    request = replace(REQUESTS[name], settings=replace(REQUESTS[name].settings, parameter=0.4))
    (asked,) = asked_of(request, monkeypatch, tmp_path)
    ours = [part.study for part in models_of(request)]
    if request.show == "examples":
        assert list(asked.values()) == ours
    else:
        assert asked.sizes == tuple(study.settings.m for study in ours)
        assert replace(ours[0], settings=asked.settings, sizes=asked.sizes) == asked


@pytest.mark.parametrize("eta", ["safe", 0.1])
def test_a_studys_step_size_is_in_its_command(eta, monkeypatch, tmp_path):
    (asked,) = asked_of(replace(REQUESTS["Figure 1"], eta=eta), monkeypatch, tmp_path)
    assert eta in (asked.step, asked.options.eta)
