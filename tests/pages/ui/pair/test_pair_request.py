"""The link of a comparison: it says exactly two runs of one x', and what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pages.ui.live.origin import Origin
from pages.ui.pair.differences import differences, sentence
from pages.ui.pair.pair_request import PairRequest, alone, as_query, from_query
from pages.ui.undo.undo_request import Request
from red_core.run.settings import RunSettings

FIRST = RunSettings(index=7, attack="l2", seed=2, solver=(("steps", 30),))


def pair(first: RunSettings = FIRST, starts=(None, None), **other) -> PairRequest:
    return PairRequest(Request(first), replace(first, **other), starts)


@pytest.mark.parametrize(
    "request_",
    [
        pair(),
        pair(seed=0, preset="paper", solver=()),
        pair(solver=(("lambda_fraction", 0.1), ("steps", 30))),
        pair(starts=(3, 8)),
        PairRequest(Request(replace(FIRST, source="own"), torch.rand(1, 28, 28), run=True), FIRST),
        PairRequest(Request(FIRST, teach=True, pace="full"), RunSettings()),
    ],
)
def test_a_link_opens_exactly_the_comparison(request_: PairRequest) -> None:
    again, warnings = from_query(as_query(request_))
    assert warnings == []
    assert (again.other, again.starts) == (request_.other, request_.starts)
    assert again.first.settings == request_.first.settings
    assert as_query(again) == as_query(request_)


def test_the_other_run_has_the_first_ones_image_and_attack() -> None:
    other = RunSettings("fashion", index=1, attack="l1", seed=5, preset="paper")
    made = PairRequest(Request(FIRST), other)
    assert made.other == replace(FIRST, seed=5, preset="paper", solver=())
    assert made.origins == (Origin(), Origin(attack_seed=2))
    assert pair(preset="paper").origins[1] == Origin()


def test_a_picture_that_g_made_keeps_its_seed_and_says_so() -> None:
    query = {"source": "realizable", "seed": "3", "other.seed": "4", "other.preset": "paper"}
    made, warnings = from_query(query)
    assert made.other.seed == 3
    assert made.other.preset == "paper"
    assert warnings == [
        "The other run keeps the first one's seed and generator: they made the image."
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"other.seed": "-1"}, "Of the other run: The link's seed is left out"),
        ({"other.solver.steps": "many"}, "Of the other run: The link's solver.steps is left out"),
        ({"other.preset": "worst"}, "unknown preset 'worst'"),
        ({"start_class": "10"}, "start_class is left out: it must lie between 0 and 9"),
        ({"other.start_class": "x"}, "other.start_class must be a whole number, not 'x'"),
        (
            {"dataset": "cifar10", "other.preset": "bsd-dp", "other.start_class": "1"},
            "a diffusion model has no z to begin from",
        ),
    ],
)
def test_what_cannot_be_is_left_out_in_words(query: dict[str, str], words: str) -> None:
    made, warnings = from_query({"index": "7", **query})
    assert len(warnings) == 1
    assert words in warnings[0]
    assert made.first.settings.index == made.other.index == 7


def test_a_start_of_a_class_is_the_only_start() -> None:
    first, other = pair(starts=(None, 3)).settings
    assert first == FIRST
    options = other.solver_options()
    assert (options.restarts, options.encoder_start, options.mean_start) == (1, False, False)


def test_the_difference_is_said_in_words() -> None:
    assert "Both runs have the same settings" in sentence(pair())
    made = pair(solver=(("lambda_fraction", 0.1), ("steps", 30)))
    assert differences(made) == [("λ / λ_max", "0.02", "0.1")]
    assert sentence(made) == "One attacked picture, undone twice: λ / λ_max 0.02 and 0.1."
    made = pair(preset="paper", seed=4)
    assert [what for what, _, _ in differences(made)][:2] == ["preset", "seed"]
    said = sentence(made)
    assert "preset best and paper; seed 2 and 4; " in said
    assert " more. Both undo the attack that the first one's seed made." in said
    assert len(said.split()) <= 60
    assert ("class of the start", "its own", "3") in differences(pair(starts=(None, 3)))


def test_a_run_of_the_list_opens_alone_where_its_own_link_says_it_all() -> None:
    made = pair(preset="paper", solver=())
    assert alone(made, 0) == {"index": "7", "attack": "l2", "seed": "2", "solver.steps": "30"}
    assert alone(made, 1) == {"index": "7", "attack": "l2", "seed": "2", "preset": "paper"}
    other_seed = pair(seed=9)
    assert alone(other_seed, 1) == as_query(other_seed)
