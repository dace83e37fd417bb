"""What the page says in sentences: pure functions of a run's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.charts.traces import START_NAME
from pages.ui.live.run_view import RunView, Theory
from pages.ui.look.theme import ATTACK_LABELS
from red_core.algorithm.verdict import UNKNOWN, Verdict
from red_core.data.datasets import a as a


def _capital(text: str) -> str:
    """The text with a capital first letter; the others stay: "A T-shirt"."""
    return text[:1].upper() + text[1:]


def percent(probability: float) -> str:
    """A probability in whole per cent, never rounded up to certainty."""
    return ">99%" if probability > 0.99 else f"{round(100 * probability)}%"


def number(value: float) -> str:
    """A number in six characters: "3.1e-04"; a dash where it has no value."""
    return f"{value:.1e}" if value == value and abs(value) != float("inf") else "–"


def deception_headline(
    true: str | None,
    before: str,
    after: str,
    after_probability: float,
    attack: str,
    source: str,
    target: str | None = None,
) -> str:
    """Act 1's line.

    true: the image's class, None where nobody knows it; before, after: what psi reads in x and
    in x'; target: the class that the attack aimed at, if any.
    """
    sure = percent(after_probability)
    if source == "realizable":
        added = "" if attack == "none" else f", with an {ATTACK_LABELS[attack]} pattern added"
        return f"G's own {before}{added}: read as {a(after)} ({sure})."
    what = _capital(a(true)) if true else "Your image"
    if attack == "none":
        right = "" if true is None or true == after else ", which is wrong before any attack"
        return f"{what}, left as it is: read as {a(after)} ({sure}){right}."
    if after == before:
        if true is not None and before != true:
            return f"{what}, misread as {a(before)} before the attack and after it ({sure})."
        return f"{what}, and still read as {a(after)} ({sure}): the attack failed."
    was = f", first read as {a(before)}," if true is None or before != true else ","
    missed = f", though the aim was {a(target)}" if target not in (None, after) else ""
    return f"{what}{was} now read as {a(after)} ({sure}){missed}."


def start_name(latent: bool) -> str:
    """The phase before c_a moves: a search for z, or one purification, which is DiffPure."""
    return START_NAME if latent else "DiffPure"


def undoing_headline(view: RunView | None, latent: bool = True) -> str:
    """Act 2's line; latent: whether the run moves z in a latent space."""
    if view is None:
        return "Not run yet. Press Run, or take one step."
    if view.state == "failed":
        return "The run failed."
    if view.place:
        runs = "1 run is" if view.place == 1 else f"{view.place} runs are"
        return f"Waiting in line: {runs} ahead."
    if not view.frames:
        return "Starting."
    last = view.frames[-1]
    width = len(str(view.total))
    step = f"step {str(last.k).rjust(width, FIGURE_SPACE)} of {view.total}"
    state = view.state.capitalize()
    if view.state == "running":
        state = start_name(latent) if last.phase == "start" else "Alternating"
    gap = "" if last.phase == "start" else f", duality gap {number(float(last.gap[0]))}"
    return f"{state}: {step}{gap}."


def recovered(latent: bool) -> str:
    """What stands for the clean signal: G(z), or D(x') where a diffusion model has no z."""
    return "G(z)" if latent else "D(x')"


def theory_line(theory: Theory | None, latent: bool = True) -> str:
    """The smallest values along the path of what the theorems rest on, once they are known."""
    if not latent:
        return "Smallest μ on the path: none, because a diffusion model has no z."
    if theory is None:
        return "Smallest μ and proximal-PL quotient on the path: known when the run ends."
    mu, quotient = (_least(values) for values in (theory.mu, theory.proximal_pl))
    to = "the known z*, c_a*" if theory.exact else "the run's last iterate, not Assumption 5's"
    return f"Smallest μ on the path: {mu} (to {to}). Smallest proximal-PL quotient: {quotient}."


def _least(values: Sequence[float]) -> str:
    return number(min((value for value in values if value == value), default=float("nan")))


FIGURE_SPACE = "\u2007"  # as wide as a digit, so a growing number moves nothing


@dataclass(frozen=True)
class Answers:
    """The verdict on one image in names, beside what is true (None: nobody knows).

    likeliest: the known attack, or "none", of `attack_probability`; unknown_p: how often a known
    run leaves evidence as strange, by which the attack is "unknown".
    """

    true_signal: str | None
    true_attack: str | None
    adversarial: str
    adversarial_probability: float
    signal: str
    signal_margin: float
    attack: str
    attack_probability: float
    attack_margin: float
    psi_signal: str
    block_attack: str
    block_margin: float
    has_reader: bool
    has_evidence: bool
    likeliest: str = "none"
    unknown_p: float = 1.0


def answers(
    verdict: Verdict,
    class_names: Sequence[str],
    true_label: int | None,
    true_attack: str | None,
    silent: bool,
    has_reader: bool,
    has_evidence: bool,
) -> Answers:
    """The verdict of a batch of one in names; silent: no block of c_a is active at all."""
    likeliest = int(verdict.attack_probabilities[0].argmax())
    return Answers(
        true_signal=None if true_label is None else class_names[true_label],
        true_attack=true_attack,
        adversarial=class_names[int(verdict.adversarial_label[0])],
        adversarial_probability=float(verdict.adversarial_probabilities[0].max()),
        signal=class_names[int(verdict.signal_label[0])],
        signal_margin=float(verdict.signal_margin[0]),
        attack=verdict.attack_names[int(verdict.attack_label[0])],
        attack_probability=float(verdict.attack_probabilities[0, likeliest]),
        attack_margin=float(verdict.attack_margin[0]),
        psi_signal=class_names[int(verdict.psi_label[0])],
        block_attack="none" if silent else verdict.attack_names[int(verdict.block_label[0])],
        block_margin=float(verdict.block_margin[0]),
        has_reader=has_reader,
        has_evidence=has_evidence,
        likeliest=verdict.attack_names[likeliest],
        unknown_p=float(verdict.unknown_p[0]),
    )


def verdict_headline(found: Answers | None, state: str = "") -> str:
    """Act 3's line: what was found, and whether it is right where that is known."""
    if found is None:
        return "The verdict comes when the run ends."
    sofar = "Stopped early. " if state == "stopped" else ""
    return f"{sofar}{_signal(found)} {_attack(found)}"


def _signal(found: Answers) -> str:
    if found.true_signal is None:
        return f"The signal reads as {a(found.signal)}."
    if found.signal == found.true_signal:
        return f"It was {a(found.true_signal)}."
    return f"The signal reads as {a(found.signal)}, but it was {a(found.true_signal)}."


def _attack(found: Answers) -> str:
    said, true = found.attack, found.true_attack
    label = ATTACK_LABELS
    if said == UNKNOWN:
        if true is None:
            return "This is like none of the known attacks."
        was = "nothing was added" if true == "none" else f"it was {label[true]}"
        return f"None of the known attacks is recognised, but {was}."
    if true is None:
        return "No attack is found." if said == "none" else f"The attack looks like {label[said]}."
    if said == true:
        return "Nothing was added to it." if true == "none" else f"The attack was {label[true]}."
    if true == "none":
        return f"An {label[said]} attack is named, but there was none."
    if said == "none":
        return f"No attack is found, but it was {label[true]}."
    return f"The attack is taken for {label[said]}, but it was {label[true]}."


def verdict_sentences(found: Answers | None) -> list[str]:
    """Who said what, by what margin: sentences of Markdown."""
    if found is None:
        return ["Who says what, and by what margin, will stand here."]
    reader = "The reader, a classifier trained on reconstructions," if found.has_reader else "ψ"
    beside = ""
    if found.has_reader:
        agrees = "also says" if found.psi_signal == found.signal else "says"
        beside = f" ψ itself, which is the paper's rule, {agrees} **{found.psi_signal}**."
    first = (
        f"On x' the attacked classifier ψ said **{found.adversarial}** "
        f"({percent(found.adversarial_probability)})."
    )
    second = (
        f"{reader} says **{found.signal}** on the recovered signal, "
        f"{_points(found.signal_margin)} ahead of the next class.{beside}"
    )
    return [first, second, _attack_sentence(found)]


def _attack_sentence(found: Answers) -> str:
    block = ATTACK_LABELS[found.block_attack]
    if found.block_attack == "none":
        rule = "no block of c_a is active, so the paper's rule names no attack"
    else:
        rule = (
            f"the paper's rule, the smallest block residual, names **{block}** "
            f"(the best block of another attack leaves {100 * found.block_margin:.1f}% more)"
        )
    if not found.has_evidence:
        return rule[0].upper() + rule[1:] + "."
    nearest = found.likeliest if found.attack == UNKNOWN else found.attack
    said = "no attack" if nearest == "none" else ATTACK_LABELS[nearest]
    if found.attack == UNKNOWN:
        return (
            "The evidence in the residual is like **none of the known attacks**, nor like a clean "
            f"image: {_rarely(found.unknown_p)} is as strange (the nearest is {said}); {rule}."
        )
    return (
        f"The evidence in the residual names **{said}** ({percent(found.attack_probability)}, "
        f"{_points(found.attack_margin)} ahead of the next); {rule}."
    )


def _rarely(share: float) -> str:
    """How many known runs are as strange, in words."""
    return f"about 1 known run in {round(1 / share)}" if share > 0 else "no known run"


def _points(margin: float) -> str:
    points = min(99, round(100 * margin)) if margin < 1 else 100
    return "1 point" if points == 1 else f"{points} points"


def mark(said: str, true: str | None) -> str:
    """right, wrong, or nothing where the truth is not known."""
    if true is None:
        return ""
    return "right" if said == true else "wrong"
