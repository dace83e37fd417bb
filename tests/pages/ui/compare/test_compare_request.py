from __future__ import annotations

import pytest
import torch

from pages.ui.compare.compare_request import (
    CompareRequest,
    as_query,
    first_choice,
    from_query,
    image_of,
    in_order,
    main_page,
)
from pages.ui.undo.undo_request import Request
from red_core.methods import METHODS
from red_core.run.settings import RunSettings

OWN = torch.arange(784).reshape(1, 28, 28).float().div(4).round().div(255)
CASES = [
    CompareRequest(),
    CompareRequest(methods=()),
    CompareRequest(methods=tuple(METHODS), run=True, sweep=True, teach=True),
    CompareRequest(
        RunSettings(index=12, attack="l2", eps=1.25, step_size=0.2, target=4, seed=9),
        methods=("bsd-gan-best", "cnn"),
    ),
    CompareRequest(RunSettings(source="realizable", attack="l1", seed=3)),
    CompareRequest(RunSettings(source="own", attack="none"), OWN),
]


@pytest.mark.parametrize("request_", CASES)
def test_a_link_and_back(request_: CompareRequest) -> None:
    again, warnings = from_query(as_query(request_))
    assert warnings == []
    assert (again.settings, again.methods) == (request_.settings, request_.methods)
    assert (again.run, again.sweep, again.teach) == (request_.run, request_.sweep, request_.teach)
    assert (again.own is None) == (request_.own is None)
    assert again.own is None or torch.equal(again.own, OWN)


def test_what_says_nothing_is_not_in_the_link() -> None:
    assert as_query(CompareRequest()) == {}
    paper = RunSettings(attack="l2", eps=2.0, step_size=0.1, attack_steps=200)
    assert as_query(CompareRequest(paper)) == {"attack": "l2"}


def test_methods_stand_in_the_tables_order_each_once() -> None:
    request = CompareRequest(methods=("bsd-gan-best", "cnn", "bsd-gan-best"))
    assert request.methods == ("cnn", "bsd-gan-best")
    assert set(first_choice()) <= set(METHODS)
    assert first_choice() == in_order(first_choice())


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'"):
        CompareRequest(methods=("magic",))


def test_a_bad_link_is_named_and_the_rest_stands() -> None:
    request, told = from_query(
        {"methods": "cnn,magic,bsd-gan-best", "eps": "-3", "attack": "l1", "seed": "4"}
    )
    assert request.methods == ("cnn", "bsd-gan-best")
    assert (request.settings.attack, request.settings.seed) == ("l1", 4)
    assert request.settings.eps is None
    assert len(told) == 2
    assert "eps" in told[0]
    assert "'magic'" in told[1]


def test_a_link_of_unknown_methods_alone_begins_with_the_first_choice() -> None:
    request, told = from_query({"methods": "magic,none"})
    assert request.methods == first_choice()
    assert len(told) == 2


def test_a_comparison_has_no_preset_and_no_solver() -> None:
    run = RunSettings(index=3, preset="paper", solver=(("steps", 9),))
    assert image_of(run) == RunSettings(index=3)
    request, told = from_query({"preset": "paper", "solver.steps": "9", "index": "3"})
    assert request.settings == RunSettings(index=3)
    assert told == []


def test_the_main_page_gets_the_image_and_keeps_its_solver() -> None:
    request = CompareRequest(RunSettings(index=5, attack="l1"))
    there = Request(RunSettings(index=9, preset="paper", solver=(("steps", 40),)))
    expected = {"index": "5", "attack": "l1", "preset": "paper", "solver.steps": "40"}
    assert main_page(request, there) == expected
    assert main_page(request, None) == {"index": "5", "attack": "l1"}
    assert main_page(CompareRequest(), None) == {"dataset": "mnist"}
