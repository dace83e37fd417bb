"""The second part of the page: the methods to choose, and their cards on one attacked image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from functools import cache, partial

import streamlit as st

from pages.ui.compare import compare_headlines as words
from pages.ui.compare import compare_help_texts as texts
from pages.ui.compare.attempt import Attempt
from pages.ui.compare.card import card
from pages.ui.compare.cards import CardContext, card_of, common_limit
from pages.ui.compare.compare_page_state import PAGE, load_request, update_request
from pages.ui.compare.compare_registry import compare_registry
from pages.ui.compare.compare_request import CompareRequest, first_choice, in_order
from pages.ui.compare.comparison import ComparisonView
from pages.ui.compare.scrubber import scrubber
from pages.ui.compare.truth import truth_of
from pages.ui.live.stream import Slot
from pages.ui.look.literal import literal
from pages.ui.look.page_style import is_dark
from pages.ui.undo.run_time import warning
from pages.ui.undo.undo_registry import RunContext
from pages.ui.widgets.live_part import LivePart
from pages.ui.widgets.transport import begin_button, row, stop_button
from red_core.data.datasets import DENOISED
from red_core.data.own_datasets import own_dataset
from red_core.methods import METHODS, methods_of
from red_core.run.settings import RunSettings

_TRAINED = ("m-inf", "m-2", "m-1", "msd")


def sets(dataset: str) -> dict[str, tuple[str, ...]]:
    """Groups of a data set's methods by name; those that it has."""
    known = methods_of(dataset)
    groups = {
        "The story": first_choice(dataset),
        "Trained on attacks": tuple(k for k in known if k in ("cnn", *_TRAINED)),
        "BSD-GAN": tuple(k for k in known if k.startswith("bsd-gan")),
        "Diffusion": tuple(k for k in known if METHODS[k].datasets == DENOISED),
        "Attack types": tuple(k for k in known if METHODS[k].answers_attack and "smooth" not in k),
    }
    several = {name: chosen for name, chosen in groups.items() if len(chosen) > 1}
    return {**several, "All": known, "None": ()}


def choice(current: CompareRequest) -> CompareRequest:
    """The methods to choose from; the request with those chosen."""
    dataset = current.settings.dataset
    chosen = st.pills(
        "Methods", methods_of(dataset), selection_mode="multi", default=list(current.methods),
        format_func=lambda key: METHODS[key].title, help=texts.METHODS, key=PAGE.key("methods"),
        wrap=True,
    )  # fmt: skip
    st.selectbox(
        "Choose a group", list(sets(dataset)), index=None, placeholder="A group of methods",
        help=texts.SETS, key=PAGE.key("set"), label_visibility="collapsed", width=230,
        on_change=PAGE.unless_renewed(_choose),
    )  # fmt: skip
    return update_request(replace(current, methods=in_order(chosen)))


def card_context(context: RunContext) -> CardContext:
    """What the cards of this image share."""
    made = context.example
    return CardContext(
        context.parts.bundle.class_names,
        made.attacked[0].cpu(),
        truth_of(context.settings, made),
        common_limit(made.attacked - made.clean),
        is_dark(),
        context.settings.dataset,
    )


def attempts_of(current: CompareRequest, view: ComparisonView | None) -> list[Attempt]:
    """One for each chosen method, in their order."""
    known = {} if view is None else {one.key: one for one in view.attempts}
    return [known.get(key) or _blank(key) for key in current.methods]


@cache
def _blank(key: str) -> Attempt:
    return Attempt(key)


def methods(
    current: CompareRequest,
    context: RunContext,
    card_context: CardContext,
    live: LivePart[ComparisonView | None],
) -> None:
    """Draw the headline, the buttons, the scrubber and the cards."""
    truth, names = card_context.truth, card_context.class_names

    def shown(view: ComparisonView | None) -> list[Attempt]:
        return attempts_of(current, view)

    live.banner(
        "compare",
        "The methods",
        lambda view: words.methods_headline(view, shown(view), truth, names),
    )
    live.words("compare-line", lambda view: words.methods_line(shown(view), truth, names), "small")
    _buttons(current, context, live.seen, shown(live.seen))
    runs = compare_registry().runs

    def position(view: ComparisonView | None) -> Slot:
        enabled = any(one.reads for one in shown(view))
        return {"enabled": enabled, "run": runs, "help": texts.SCRUB}

    scrubber(live.slot("compare-scrubber", position), key="compare-scrubber")
    with st.container(key="compare-cards"):
        for place, key in enumerate(current.methods):
            name = f"compare-card-{key}"
            card(live.slot(name, partial(_card, shown, place, card_context)), key=name)
    with st.expander("What am I seeing?"):
        st.markdown(texts.METHODS_TAUGHT)
        if own_dataset(current.settings.dataset) is not None:
            st.markdown(texts.ON_A_PROJECT)


def _card(
    shown: Callable[[ComparisonView | None], list[Attempt]],
    place: int,
    context: CardContext,
    view: ComparisonView | None,
) -> Slot:
    return asdict(card_of(shown(view)[place], context))


def _buttons(
    current: CompareRequest,
    context: RunContext,
    view: ComparisonView | None,
    shown: Sequence[Attempt],
) -> None:
    busy = view is not None and view.busy
    again = bool(shown) and all(one.over for one in shown)
    with row():
        begin_button(
            "Run", again, shortcut="P", help=texts.RUN_AGAIN if again else texts.RUN,
            key="compare.run", disabled=busy or not shown, begin=begin, args=(current, context),
        )  # fmt: skip
        stop_button(
            "Stop", help=texts.STOP, shortcut="T", key="compare.stop", disabled=not busy,
            stop=_stop, args=(current,),
        )  # fmt: skip
    takes = runs_of(current.settings, [one.key for one in shown if again or not one.over])
    if not busy and (said := warning(context.parts.bundle, takes)):
        st.warning(literal(said))


def runs_of(settings: RunSettings, keys: Iterable[str]) -> list[RunSettings]:
    """What the methods of these keys compute on a crafted x', as runs; the quick ones are none."""
    found = []
    for key in keys:
        method = METHODS[key]
        if method.preset is not None:
            plain = RunSettings(settings.dataset, attack="none", device=settings.device)
            few = (("steps", 1),) if method.start_alone else ()
            found.append(replace(plain, preset=method.preset, solver=few))
    return found


# --- callbacks -------------------------------------------------------------------------------


def begin(current: CompareRequest, context: RunContext, anew: bool = False) -> None:
    """Run the methods that have no answer yet, or all anew; the link now repeats it."""
    compare_registry().compare(current, context.example, anew)
    PAGE.change(run=True)


def _stop(current: CompareRequest) -> None:
    comparison = compare_registry().comparison(current)
    if comparison is not None:
        comparison.stop()


def _choose() -> None:
    chosen = st.session_state[PAGE.key("set")]
    if chosen is not None:
        current = PAGE.current
        load_request(replace(current, methods=sets(current.settings.dataset)[chosen]))
