"""`theory`: the numbers behind Figures 1 to 3 and the examples, and theorems checked."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from red_core.cli.common import (
    Subparsers,
    UsageError,
    add_threads,
    as_json,
    check_writable,
    count,
    finish,
)
from red_core.data.assets import assets_root
from red_core.measure import planted
from red_core.measure.result_store import keep
from red_core.measure.studies import (
    EXAMPLES,
    FIGURE_1,
    FIGURE_2,
    FIGURE_3,
    STUDY_STEPS,
    Row,
    Study,
    expansiveness,
    landscape,
)
from red_core.measure.studies import examples as run_examples
from red_core.measure.theory_keys import theory_key
from red_core.parse import parsed
from red_core.readme.theory_figures import FOLDER
from red_core.run.provenance import provenance
from red_core.synthetic import FAMILIES, InstanceError, InstanceSettings, MatrixError, read_matrix
from red_core.theory.descent import METHODS, DescentOptions
from red_core.theory.proximal_verification import proximal_report
from red_core.theory.verification import (
    STEPS,
    SURVEYED,
    Verification,
    report,
    survey,
    verify,
)

_FIELDS = {field.name: str(field.type) for field in fields(InstanceSettings)}


def add(subparsers: Subparsers) -> None:
    """The arguments of `theory`."""
    parser = subparsers.add_parser(
        "theory", help="the paper's figures and examples in numbers; its theorems put to the test"
    )
    parts = parser.add_subparsers(title="parts", metavar="PART", required=True)

    def part(
        name: str, words: str, make: Callable[[argparse.Namespace], Any]
    ) -> argparse.ArgumentParser:
        one = parts.add_parser(name, help=words, description=words)
        one.add_argument("--json", type=Path, metavar="OUT", help="file to write the numbers to")
        add_threads(one)
        one.add_argument(
            "--seeds", type=count, metavar="N", help="as many W, or planted solutions, seed by seed"
        )
        one.add_argument("--steps", type=count, metavar="K", help="steps of a descent, at most")
        if name != "verify":
            one.add_argument("--keep", action="store_true", help="store them in assets/theory/")
        if name != "planted":
            _add_settings(one)
        one.set_defaults(execute=execute, make=make, part=name)
        return one

    for name, words in (
        ("figure1", "mu against the output dimension m: one layer, 10 examples a network"),
        ("figure3", "mu against m for the three layers of B.3, 50 examples"),
    ):
        figure = part(name, words, _expansiveness)
        figure.add_argument("--sizes", metavar="M,M,...", help="the output dimensions")
        _add_eta(figure)
    part("figure2", "the landscape for d = 2: stationary points, basins, heights", _landscape)
    _add_eta(
        part("examples", "mu of Section 5.1 and Examples 15 to 17, and the paper's", _examples)
    )
    checked = part("verify", "Theorem 3, 6 or 8 on one family", _verify)
    checked.add_argument("--method", choices=METHODS, help="default: alternating if --attack")
    checked.add_argument(
        "--eta", default="theorem", help=f"a step size, or {', '.join(STEPS)} (default: theorem)"
    )
    checked.add_argument(
        "--lambda-fraction", metavar="SHARE", help="of lambda_max, for proximal (default: 0.1)"
    )
    checked.add_argument("--samples", type=count, default=5, help="points a segment (default: 5)")
    checked.add_argument("--matrix", type=Path, metavar="FILE", help="W as CSV or NPY: family own")
    part("survey", "where Theorem 3 applies: activations x distance of the start", _survey)
    part("planted", "mu, rho, epsilon near planted solutions of the trained generators", _planted)


def _add_eta(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(STUDY_STEPS)
    parser.add_argument("--eta", default="local", help=f"a step size, or {known} (default: local)")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """A flag for every field of InstanceSettings; what is not given keeps the part's own value."""
    group = parser.add_argument_group("the instances", "default: the part's own")
    for name, kind in _FIELDS.items():
        if kind == "bool":
            group.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None)
        else:
            choices = tuple(FAMILIES) if name == "family" else None
            group.add_argument(f"--{name}", choices=choices, metavar=name.upper())


def execute(arguments: argparse.Namespace) -> int:
    """Compute, print as it comes, write."""
    check_writable(arguments.json)
    began = time.perf_counter()
    try:
        numbers = arguments.make(arguments)
    except (InstanceError, MatrixError) as error:
        raise UsageError(str(error)) from error
    seconds = time.perf_counter() - began

    def keep_numbers() -> None:
        command = shlex.join(["python", "-m", "red_core", *_without_output(arguments.words)])
        content = {
            "numbers": numbers,
            "command": command,
            "seconds": round(seconds, 1),
            "key": theory_key(arguments.part, command),
            "provenance": provenance(torch.device("cpu")),
        }
        (assets_root() / FOLDER).mkdir(parents=True, exist_ok=True)
        keep(FOLDER, f"{arguments.part}.json", content, command)

    finish(
        [f"done in   {seconds:.1f} s"],
        (arguments.json, as_json(numbers)),
        keep=keep_numbers if getattr(arguments, "keep", False) else None,
    )
    return 0


def _without_output(words: list[str]) -> list[str]:
    """The words of the command without those that do not change the numbers."""
    kept = [
        word
        for word in words
        if word != "--keep" and not word.startswith(("--json=", "--threads="))
    ]
    for name in ("--json", "--threads"):
        if name in kept:
            at = kept.index(name)
            del kept[at : at + 2]
    return kept


def _changed(arguments: argparse.Namespace, base: InstanceSettings) -> InstanceSettings:
    """The part's settings with the flags that were given."""
    given: dict[str, Any] = {}
    for name, kind in _FIELDS.items():
        value = getattr(arguments, name)
        if value is not None:
            try:
                given[name] = parsed(name, value, kind) if isinstance(value, str) else value
            except ValueError as error:
                raise UsageError(str(error)) from error
    if "activation" in given or "family" in given:  # those have parameters and scales of their own
        own = {"parameter": None} if "activation" in given else {}
        own |= {"scale": None} if "family" in given else {}
        given = own | given
    return replace(base, **given)


def _study(arguments: argparse.Namespace, base: Study) -> Study:
    settings = _changed(arguments, base.settings)
    method = "alternating" if settings.attack else "inversion"
    steps = arguments.steps or base.options.steps
    step, eta = _step(getattr(arguments, "eta", base.step), STUDY_STEPS)
    return replace(
        base,
        settings=settings,
        options=_options(method=method, steps=steps, eta=eta),
        step=step,
        networks=arguments.seeds or base.networks,
    )


def _step(text: str, known: tuple[str, ...]) -> tuple[str, float | None]:
    """--eta as the name of a step, or as a number (whose name does not matter then)."""
    if text in known:
        return text, None
    try:
        return known[0], float(parsed("eta", text, "float"))
    except ValueError as error:
        raise UsageError(f"{error}; or one of {', '.join(known)}") from error


def _options(**chosen: Any) -> DescentOptions:
    try:
        return DescentOptions(**chosen)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _expansiveness(arguments: argparse.Namespace) -> list[Row]:
    base = {"figure1": FIGURE_1, "figure3": FIGURE_3}[arguments.part]
    study = _study(arguments, base)
    if arguments.sizes is not None:
        try:
            sizes = parsed("sizes", arguments.sizes, "tuple[int, ...]")
        except ValueError as error:
            raise UsageError(str(error)) from error
        study = replace(study, sizes=sizes)
    for m in study.sizes:
        replace(study.settings, m=m)  # refuse a bad one before the first is computed
    rows = []
    for row in expansiveness(study):
        print(f"m {row['m']:5d}  {_line(row)}", flush=True)
        rows.append(row)
    return rows


def _examples(arguments: argparse.Namespace) -> dict[str, Row]:
    found = {}
    for name, row in run_examples({k: _study(arguments, study) for k, study in EXAMPLES.items()}):
        print(f"{name:18s} {_line(row)}  paper's mu {row['paper_mu']:g}", flush=True)
        found[name] = row
    return found


def _line(row: Row) -> str:
    return (
        f"mu {row['mu_mean']:9.4f} +- {row['mu_std']:8.4f}  success {row['success_rate']:6.1%} "
        f"of {row['instances']}"
    )


def _landscape(arguments: argparse.Namespace) -> Row:
    found = landscape(_study(arguments, FIGURE_2))
    print(found["basins"])
    for point in found["stationary"]:
        print(f"  {point['kind']:8s} at {point['z']}  f = {point['f']:.4g}  {point['words']}")
    return found


def _survey(arguments: argparse.Namespace) -> list[Row]:
    settings = _changed(arguments, SURVEYED)
    rows = []
    for row in survey(settings, arguments.steps or 500, arguments.seeds or 1):
        start = "anywhere" if row["radius"] is None else f"{row['radius']:g} away"
        applies = f"applies to {row['share_applies']:6.1%} of {row['instances']}"
        tight = "" if row["tightness"] is None else f", tightness {row['tightness']:.2f}"
        print(f"{row['case']:18s} {row['activation']:22s} {start:10s} {applies}{tight}", flush=True)
        rows.append(row)
    return rows


def _planted(arguments: argparse.Namespace) -> list[Row]:
    found = []
    for row in planted.rows(arguments.seeds or planted.SOLUTIONS, arguments.steps or planted.STEPS):
        print(
            f"{row['dataset']:8s} {row['generator']:6s} {row['theorem']} {row['radius']:7g} away: "
            f"mu {row['mu']:.3g}, rho {row['rho']:.3g}, epsilon {row['epsilon']:.3g}; admitted "
            f"{row['inside']} of {row['descents']}, without a kink {row['applies']}",
            flush=True,
        )
        found.append(row)
    return found


def _verify(arguments: argparse.Namespace) -> Row:
    own = _matrix(arguments)
    settings = _changed(arguments, Verification().settings)
    method = arguments.method or ("alternating" if settings.attack else "inversion")
    step, eta = _step(arguments.eta, STEPS)
    chosen = {"method": method, "steps": arguments.steps or 500, "eta": eta}
    if arguments.lambda_fraction is not None:
        try:
            share = parsed("lambda_fraction", arguments.lambda_fraction, "float")
        except ValueError as error:
            raise UsageError(str(error)) from error
        chosen["lambda_fraction"] = share
    options = _options(**chosen)
    networks, samples = arguments.seeds or 1, arguments.samples
    if method == "proximal":
        own_step = "local" if step == "local" else "safe"
        result = proximal_report(settings, options, own_step, networks, samples, own=own)
    else:
        asked = Verification(settings, options, step, networks, samples)
        result = report(asked, verify(asked, own))
    count = len(result["instances"])
    print(f"{result['theorem']}: applies to {result['share_applies']:.0%} of {count}")
    found = (f"{name} {result[name]:.4g}" for name in ("mu", "rho", "epsilon") if result[name])
    print("  " + ", ".join(found))
    print(f"  {result['instances'][0]['why']}")
    return result


def _matrix(arguments: argparse.Namespace) -> Tensor | None:
    if arguments.matrix is None:
        return None
    if arguments.family not in (None, "own"):
        raise UsageError("--matrix is the family own: leave --family out")
    arguments.family = "own"
    return read_matrix(arguments.matrix.read_bytes(), arguments.matrix.name)
