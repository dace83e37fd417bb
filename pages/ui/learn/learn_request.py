"""What the page "Learn" is asked for: the same in the component and in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pages.ui.learn.lessons import LESSONS
from pages.ui.link.codec import accepted, flags, raised

Place = tuple[str, int]  # a lesson's key, and its step, from 1

MOST_LISTED = 60


@dataclass(frozen=True)
class LearnRequest:
    """One step of one lesson.

    lesson: a lesson's key; step: from 1; playlist: the steps that back and next go through, () for
    all of them; teach: whether to hide the controls. Raises ValueError, one sentence.
    """

    lesson: str = LESSONS[0].key
    step: int = 1
    playlist: tuple[Place, ...] = ()
    teach: bool = False

    def __post_init__(self) -> None:
        _check((self.lesson, self.step))
        for place in self.playlist:
            _check(place)
        if len(self.playlist) > MOST_LISTED:
            raise ValueError(f"a playlist has at most {MOST_LISTED} steps")


def as_query(request: LearnRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse. Never empty."""
    query = {"lesson": request.lesson, "step": str(request.step)}
    if request.playlist:
        query["playlist"] = ",".join(written(place) for place in request.playlist)
    return {**query, **raised(request, "teach")}


def from_query(query: Mapping[str, str]) -> tuple[LearnRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    request, warnings = LearnRequest(**flags(query, "teach")), list[str]()
    listed: list[Place] = []
    for text in filter(None, query.get("playlist", "").split(",")):
        try:
            place = read_place(text.strip())
            replace(request, playlist=(*listed, place))
        except ValueError as error:
            warnings.append(f"The playlist's {text.strip()[:40]!r} is left out: {error}.")
        else:
            listed.append(place)
    if listed:
        request = replace(request, playlist=tuple(listed), lesson=listed[0][0], step=listed[0][1])
    first = request

    def made(texts: Mapping[str, str]) -> LearnRequest:
        named = replace(first, lesson=texts["lesson"], step=1) if "lesson" in texts else first
        return replace(named, step=_whole(texts["step"])) if "step" in texts else named

    request, refused = accepted(query, ("lesson", "step"), made)
    return request, [*warnings, *refused]


def written(place: Place) -> str:
    """A place as links and playlists write it: "norms.2"."""
    return f"{place[0]}.{place[1]}"


def read_place(text: str) -> Place:
    """The place that `written` wrote; ValueError, one sentence, for another text."""
    lesson, _, step = text.partition(".")
    place = lesson, _whole(step)
    _check(place)
    return place


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise ValueError(f"a step is a whole number, not {text[:40]!r}")
    return int(text)


def _check(place: Place) -> None:
    lesson = next((one for one in LESSONS if one.key == place[0]), None)
    if lesson is None:
        known = ", ".join(one.key for one in LESSONS)
        raise ValueError(f"there is no lesson {place[0][:40]!r}: choose {known}")
    if not 1 <= place[1] <= len(lesson.steps):
        raise ValueError(f"the lesson {place[0]} has steps 1 to {len(lesson.steps)}")
