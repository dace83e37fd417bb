"""Links to steps, and playlists of them."""

from __future__ import annotations

import pytest

from pages.ui.learn.learn_request import (
    MOST_LISTED,
    LearnRequest,
    as_query,
    from_query,
    read_place,
    written,
)


def test_a_playlist_goes_into_a_link_and_back() -> None:
    listed = LearnRequest("lambda", 2, (("norms", 2), ("lambda", 2), ("norms", 2)), True)
    query = as_query(listed)
    assert query == {
        "lesson": "lambda", "step": "2", "playlist": "norms.2,lambda.2,norms.2", "teach": "1",
    }  # fmt: skip
    assert from_query(query) == (listed, [])


def test_a_playlist_alone_begins_at_its_first_step() -> None:
    found, warnings = from_query({"playlist": "norms.2, lambda.3"})
    assert (found.lesson, found.step) == ("norms", 2)
    assert found.playlist == (("norms", 2), ("lambda", 3))
    assert warnings == []


@pytest.mark.parametrize(
    ("query", "left", "words"),
    [
        ({"lesson": "nothing"}, ("attack", 1), "no lesson 'nothing'"),
        ({"lesson": "norms", "step": "9"}, ("norms", 1), "steps 1 to 4"),
        ({"lesson": "norms", "step": "0"}, ("norms", 1), "steps 1 to 4"),
        ({"step": "-1"}, ("attack", 1), "whole number"),
        ({"step": "٣"}, ("attack", 1), "whole number"),
        ({"playlist": "norms.2,x.1"}, ("norms", 2), "'x.1' is left out"),
        ({"playlist": "norms"}, ("attack", 1), "'norms' is left out"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_stands(query, left, words: str) -> None:
    found, warnings = from_query(query)
    assert (found.lesson, found.step) == left
    assert len(warnings) == 1
    assert words in warnings[0]


def test_a_playlist_has_an_end() -> None:
    found, warnings = from_query({"playlist": ",".join(["norms.1"] * (MOST_LISTED + 2))})
    assert len(found.playlist) == MOST_LISTED
    assert len(warnings) == 2


def test_places_are_read_as_they_are_written() -> None:
    assert read_place(written(("verdict", 3))) == ("verdict", 3)
    with pytest.raises(ValueError, match="there is no lesson"):
        read_place("norm.1")
