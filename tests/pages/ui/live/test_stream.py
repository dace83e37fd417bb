"""What the server draws of a page by itself: when, what of it, and what it never does."""

from __future__ import annotations

import gc
import json

from pages.ui.live.stream import STREAMS, Drawing, Stream


class Work:
    """Stands for a worker: a number that goes up until it is over."""

    def __init__(self) -> None:
        self.k, self.busy = 0, True

    def look(self) -> tuple[int, bool]:
        return self.k, self.busy


def drawing(work: Work, **more) -> Drawing:
    makers = {"k": lambda seen: {"k": seen[0]}, "title": lambda _: {"html": "a run"}, **more}
    return Drawing(work.look, makers, lambda seen: (seen[1],), (True,))


def shown(work: Work, number: int = 5) -> tuple[Stream, Work]:
    stream = Stream(None)
    slots = {"k": (number, {"k": work.k}), "title": (number, {"html": "a run"})}
    stream.show(drawing(work), slots)
    return stream, work


def news(stream: Stream, since: int = 5) -> list[dict]:
    return [json.loads(text) for _, text in stream.since(since)]


def test_only_what_changed_is_sent():
    stream, work = shown(Work())
    assert stream.busy
    stream.redraw()
    assert news(stream) == []
    work.k = 3
    stream.redraw()
    (slot,) = news(stream)
    assert (slot["slot"], slot["k"]) == ("k", 3)
    assert slot["drawn"] > 5
    assert news(stream, slot["drawn"]) == []
    assert len(news(stream, 0)) == 2, "a browser that comes back gets all that it lacks"


def test_it_is_stale_once_the_rest_of_the_page_would_look_otherwise():
    stream, work = shown(Work())
    stream.redraw()
    assert not stream.stale
    work.busy = False
    stream.redraw()
    assert stream.stale
    stream.suspend()
    assert not stream.stale, "the script draws already"
    done = Drawing(work.look, {"k": lambda seen: {"k": seen[0]}}, lambda seen: (seen[1],), (False,))
    stream.show(done, {"k": (9, {"k": 0})})
    assert not stream.busy
    work.k = 7
    stream.redraw()
    assert news(stream, 9) == [], "nothing changes by itself any more"


def test_nothing_is_sent_while_the_script_draws():
    stream, work = shown(Work())
    work.k = 1
    stream.redraw()
    stream.suspend()
    assert news(stream) == []
    work.k = 2
    stream.redraw()
    stream.show(drawing(work), {"k": (11, {"k": 2}), "title": (5, {"html": "a run"})})
    assert news(stream, 11) == []


def test_what_was_made_for_an_older_drawing_is_dropped():
    stream, work = shown(Work())
    newer = drawing(work)

    def look():
        stream.show(newer, {"k": (20, {"k": 0}), "title": (20, {"html": "a run"})})
        return 8, True

    stream.show(
        Drawing(look, {"k": lambda seen: {"k": seen[0]}}, lambda seen: (seen[1],), (True,)),
        {"k": (6, {"k": 0})},
    )
    stream.redraw()
    assert news(stream, 20) == []


def test_a_drawing_that_fails_calls_for_the_script(caplog):
    def fail(_):
        raise ValueError("no such picture")

    stream, work = Stream(None), Work()
    stream.show(drawing(work, broken=fail), {"k": (5, {"k": 0}), "title": (5, {"html": "a run"})})
    stream.redraw()
    assert stream.stale
    stream.redraw()
    assert caplog.text.count("could not be drawn") == 1


def test_the_same_drawing_keeps_its_number():
    stream, _ = shown(Work())
    assert stream.version_of("title", {"html": "a run"}) == 5
    assert stream.version_of("title", {"html": "another"}) > 5
    assert stream.version_of("new", {"html": "a run"}) > 5


def test_keys_differ_and_end_with_their_streams():
    one, other = Stream(None), Stream(None)
    assert one.key != other.key
    assert STREAMS[one.key] is one
    key = one.key
    del one
    gc.collect()
    assert key not in STREAMS
