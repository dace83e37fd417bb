"""What the page "Compare" says in sentences: pure functions of attempts, outcomes and the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from pages.ui.compare.attempt import Attempt
from pages.ui.compare.comparison import ComparisonView
from pages.ui.compare.outcome import Outcome
from pages.ui.compare.sweep import FACTORS, SweepView
from pages.ui.compare.truth import Truth, said
from pages.ui.undo.headlines import a
from red_core.methods import METHODS


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "A, B and C"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def by(count: int, total: int) -> str:
    """By whom, in words: "2 of 5 methods", "all 5 methods", "no method"."""
    if count == 0:
        return "no method"
    if total == 1:
        return "the one method that answers"
    if count == total:
        return "both methods" if total == 2 else f"all {total} methods"
    return f"{count} of {total} methods"


def waiting(place: int) -> str:
    """The place in the line of those who compute."""
    return f"Waiting in line: {'1 run is' if place == 1 else f'{place} runs are'} ahead."


# --- the cards -------------------------------------------------------------------------------


def methods_headline(
    view: ComparisonView | None, shown: Sequence[Attempt], truth: Truth, names: Sequence[str]
) -> str:
    """The line over the cards."""
    if not shown:
        return "Choose at least one method."
    if view is not None and view.error:
        return view.error
    if view is not None and view.busy:
        if view.place:
            return waiting(view.place)
        if view.running is None:
            return "Starting."
        place = view.attempts.index(view.running) + 1
        return f"Running {METHODS[view.running.key].title}: {place} of {len(view.attempts)}."
    done = [one for one in shown if one.answers is not None]
    if done:
        return _found(done, truth, names)
    return "Not run yet: press Run." if view is None else "Nothing was answered."


def _found(done: Sequence[Attempt], truth: Truth, names: Sequence[str]) -> str:
    answers = [said(one.answers, truth) for one in done if one.answers is not None]
    labels = [one.label for one in answers if one.label is not None]
    attacks = [one.right_attack for one in answers if one.right_attack is not None]
    parts = []
    if labels and truth.label is not None:
        right = by(labels.count(truth.label), len(labels))
        parts.append(f"the {names[truth.label]} is read right by {right}")
    elif labels:
        label, count = Counter(labels).most_common(1)[0]
        parts.append(f"{a(names[label])} is read by {by(count, len(labels))}")
    if attacks:
        what = "the attack is named" if truth.attack != "none" else "that it is clean is seen"
        parts.append(f"{what} by {by(attacks.count(True), len(attacks))}")
    line = "; ".join(parts) or "nothing was answered"
    return f"{line[:1].upper()}{line[1:]}."


def methods_line(shown: Sequence[Attempt], truth: Truth, names: Sequence[str]) -> str:
    """Who reads it right, and as what the others take it."""
    right, others = list[str](), list[str]()
    for one in shown:
        found = None if one.answers is None else said(one.answers, truth)
        if found is None or found.label is None:
            continue
        title = METHODS[one.key].title
        if found.right_label:
            right.append(title)
        else:
            others.append(f"{title} ({names[found.label]})")
    if not right and not others:
        return "Who sees through the attack, and who does not, will be shown here."
    if truth.label is None:
        return f"They read {listed(others)}. What is true of an image of your own nobody knows."
    wrong = f"Wrong: {listed(others)}." if others else "None is wrong."
    return f"{f'Right: {listed(right)}.' if right else 'None is right.'} {wrong}"


# --- the strip -------------------------------------------------------------------------------


def sweep_headline(view: SweepView | None, outcomes: Sequence[Outcome], name: str | None) -> str:
    """The line over the strip. name: of the true class, None where nobody knows it."""
    if view is not None and view.error:
        return view.error
    if view is not None and view.busy:
        return _sweep_progress(view)
    judged = [one for one in outcomes if one.reads]
    if not judged:
        return "How strong must the attack be? Press Sweep."
    holding = sum(one.breaks is None for one in judged)
    if holding:
        who = by(holding, len(judged))
        if name is None:
            return f"The answer stays the same at every strength for {who}."
        return f"The {name} is read at every strength by {who}."
    latest = max(one.breaks or 0 for one in judged)
    if latest == 0:
        return f"The {name} is read by no method, even without an attack."
    last = [one for one in judged if one.breaks == latest]
    at = f"ε = {last[0].eps_of(latest)}"
    if len(judged) == 1:
        return f"{last[0].title} breaks at {at}."
    if len(last) == len(judged):
        who = by(len(last), len(judged))
        return f"{who[:1].upper()}{who[1:]} break at {at}."
    if len(last) == 1:
        return f"{last[0].title} lasts longest: it breaks at {at}."
    return f"{len(last)} methods last longest: they break at {at}."


def _sweep_progress(view: SweepView) -> str:
    if view.place:
        return waiting(view.place)
    if not view.crafted:
        return f"Crafting the attack: strength {len(view.images) + 1} of {len(FACTORS)}."
    if view.running is None:
        return "Starting."
    place = view.rows.index(view.running) + 1
    step = f", step {view.running.step}" if view.running.step else ""
    return f"{METHODS[view.running.key].title} at all strengths: {place} of {len(view.rows)}{step}."


def sweep_line(outcomes: Sequence[Outcome], name: str | None) -> str:
    """What the strip shows, in words."""
    judged = [one for one in outcomes if one.reads]
    broken = [one for one in judged if one.breaks is not None]
    broken.sort(key=lambda one: one.breaks or 0)
    parts = []
    if broken:
        places = [
            f"at ε = {some[0].eps_of(place)} {listed([one.title for one in some])}"
            for place, group in groupby(broken, key=lambda one: one.breaks)
            if (some := list(group))
        ]
        what = "Breaks" if name is not None else "Answers otherwise than without an attack"
        parts.append(f"{what}: {'; '.join(places)}.")
    holding = [one.title for one in judged if one.breaks is None]
    if holding:
        what = "Right" if name is not None else "The same answer"
        parts.append(f"{what} at every strength: {listed(holding)}.")
    back = [one.title for one in judged if one.recovers and name is not None]
    if back:
        parts.append(f"Right again beyond its breaking point: {listed(back)}.")
    named = [
        f"{one.title} at {one.named} of {len(FACTORS)}" for one in outcomes if one.named is not None
    ]
    if named:
        parts.append(f"The attack named right: {listed(named)} strengths.")
    return " ".join(parts) or "At which strength each method breaks will be shown here."
