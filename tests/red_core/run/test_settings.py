"""One object behind the link, the command line and the JSON: all three lead back to it."""

import json
import math
import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from red_core.algorithm.options import ACCELERATIONS, DIFFUSION, SIGNAL_STEPS
from red_core.algorithm.presets import GENERATORS, presets_of, presets_with
from red_core.attacks.pgd import ATTACKS, MAX_EPS, PAPER_ATTACKS
from red_core.cli import build_parser
from red_core.cli.run import _settings as settings_of
from red_core.data.datasets import DATASETS, PHOTOGRAPHED
from red_core.run.settings import (
    MAX_SEED,
    SOURCES,
    RunSettings,
    SettingsError,
    item_seed,
    parse_solver_option,
)

rates = st.floats(1e-9, 10)
solver_values = st.fixed_dictionaries(
    {},
    optional={
        "restarts": st.integers(1, 64),
        "start_draws": st.integers(64, 10_000),
        "lambda_every_step": st.booleans(),
        "c_a_after_z": st.booleans(),
        "encoder_start": st.booleans(),
        "start_steps": st.integers(0, 2000),
        "start_step": st.sampled_from([name for name in SIGNAL_STEPS if name != DIFFUSION]),
        "start_rate": rates,
        "carry": st.integers(1, 65),
        "halve_at": st.lists(st.integers(1, 500), max_size=4).map(tuple),
        "steps": st.integers(1, 5000),
        "signal_rate": rates,
        "acceleration": st.sampled_from(ACCELERATIONS),
        "lambda_fraction": st.floats(1e-9, 2),
        "tolerance": st.floats(0, 0.999),
    },
).map(lambda values: tuple(values.items()))


@st.composite
def run_settings(draw) -> RunSettings:
    attack = draw(st.sampled_from((*ATTACKS, "none")))
    size = st.none() | st.floats(1e-6, MAX_EPS.get(attack, 1.0))
    dataset = draw(st.sampled_from(DATASETS))
    preset = draw(st.sampled_from(sorted(presets_of(dataset))))
    names = [name for name in GENERATORS if preset in presets_with(dataset, name)]
    generator = draw(st.sampled_from(names))
    options = dict(draw(solver_values))
    base = presets_of(dataset)[preset]
    if generator == "dcgan" or base.one_w:
        options.pop("encoder_start", None)
    if base.signal_step == DIFFUSION or base.start_momentum:
        options.pop("start_step", None)  # a diffusion model's, or the one that takes momentum
    sources = [name for name in SOURCES if name != "photograph" or dataset in PHOTOGRAPHED]
    return RunSettings(
        dataset=dataset,
        source=draw(st.sampled_from(sources)),
        index=draw(st.integers(0, 10_000)),
        attack=attack,
        eps=draw(size),
        step_size=draw(size),
        attack_steps=draw(st.none() | st.integers(1, 2000)),
        target=draw(st.none() | st.integers(0, 9)),
        preset=preset,
        generator=generator,
        solver=tuple(options.items()),
        seed=draw(st.integers(0, MAX_SEED)),
        device=draw(st.sampled_from(("auto", "cpu", "cuda", "mps"))),
    )


@given(run_settings())
def test_a_link_leads_back(settings):
    query = settings.as_query()
    assert all(isinstance(text, str) for text in query.values())
    assert RunSettings.from_query(query) == settings


@given(run_settings())
def test_json_leads_back(settings):
    through = json.loads(json.dumps(settings.as_dict(), allow_nan=False))
    assert RunSettings.from_dict(through) == settings


@given(run_settings())
def test_the_command_leads_back_through_the_command_lines_own_parser(settings):
    words = shlex.split(settings.as_command())
    assert words[:3] == ["python", "-m", "red_core"]
    assert settings_of(build_parser().parse_args(words[3:])) == settings


def test_the_command_quotes_a_files_name():
    own = RunSettings(source="own")
    words = shlex.split(own.as_command("my seven; rm.png"))
    assert words[words.index("--image") + 1] == "my seven; rm.png"


def test_a_link_holds_only_what_differs_and_is_short():
    assert RunSettings().as_query() == {}
    changed = RunSettings(index=7, eps=0.25, solver=(("halve_at", (40, 80)), ("steps", 100)))
    assert changed.as_query() == {
        "index": "7",
        "eps": "0.25",
        "solver.halve_at": "40,80",
        "solver.steps": "100",
    }


def test_a_link_that_names_no_picture_means_the_first_photograph_and_numbers_keep_theirs():
    first = RunSettings("cifar10", source="photograph")
    assert RunSettings.from_query({"dataset": "cifar10", "attack": "l2"}) == RunSettings(
        "cifar10", source="photograph", attack="l2"
    )
    for index in ("0", "239"):
        kept = RunSettings.from_query({"dataset": "cifar10", "index": index})
        assert (kept.source, kept.index) == ("example", int(index))
    assert RunSettings("cifar10").as_query() == {"dataset": "cifar10", "index": "0"}
    assert first.as_query() == {"dataset": "cifar10", "source": "photograph"}
    assert "--photograph 5" in RunSettings("cifar10", "photograph", 5).as_command()
    assert RunSettings.from_query({"dataset": "fashion"}).source == "example"


def test_names_a_link_should_not_have_are_ignored_but_solver_options_are_not():
    assert RunSettings.from_query({"utm_source": "x", "embed": "true"}) == RunSettings()
    assert RunSettings.from_query({"solver": "(('steps', 5),)"}) == RunSettings()
    with pytest.raises(SettingsError, match="unknown solver option 'momentum'"):
        RunSettings.from_query({"solver.momentum": "0.9"})


def test_the_generator_is_named_only_where_it_is_not_ours():
    ours = RunSettings(preset="paper")
    assert "generator" not in ours.as_query()
    assert "--generator" not in ours.as_command()
    papers = RunSettings(preset="paper", generator="dcgan")
    assert papers.as_query() == {"preset": "paper", "generator": "dcgan"}
    assert "--preset paper --generator dcgan" in papers.as_command()
    assert (ours.as_dict()["generator"], papers.as_dict()["generator"]) == ("own", "dcgan")


def test_equal_runs_are_equal():
    one = RunSettings(solver=(("steps", 9), ("carry", 2)))
    assert one == RunSettings(solver=(("carry", 2), ("steps", 9)))
    assert hash(one) == hash(RunSettings.from_dict(one.as_dict()))
    assert RunSettings(source="own", index=5) == RunSettings(source="own")
    assert RunSettings(eps=1, attack="l2") == RunSettings(eps=1.0, attack="l2")


BAD = [
    ({"dataset": "imagenet"}, "unknown data set 'imagenet': choose mnist"),
    ({"source": "photograph"}, "MNIST has no photographs beside its examples"),
    ({"preset": "bsd-dp"}, "unknown preset 'bsd-dp'"),
    (
        {"solver": {"signal_step": "diffusion", "start_step": "diffusion"}},
        "MNIST has no diffusion model",
    ),
    ({"solver": {"feature_weight": 0.5}}, "offers no features"),
    ({"solver": {"start_loss": "perceptual"}}, "start_loss must be squared"),
    ({"solver": {"class_start": True}}, r"MNIST's generator has no W\+: class_start must be off"),
    ({"preset": "paper", "solver": {"one_w": True}}, r"has no W\+: one_w must be off"),
    ({"generator": "gan"}, "unknown generator 'gan': choose own, dcgan"),
    ({"generator": 3}, "generator must be"),
    ({"generator": "dcgan"}, "preset best uses networks .* choose paper or paper-frozen"),
    ({"generator": "dcgan", "dataset": "cifar10"}, "CIFAR-10 has no generator dcgan: choose own"),
    (
        {"generator": "dcgan", "preset": "paper", "solver": {"encoder_start": True}},
        "generator dcgan has no encoder",
    ),
    ({"source": "web"}, "unknown image source 'web'"),
    ({"attack": "l3"}, "unknown attack 'l3': choose linf, l2, l1, none"),
    ({"preset": "fast"}, "unknown preset 'fast'"),
    ({"device": "tpu"}, "unknown device 'tpu'"),
    ({"index": -1}, "index must not be negative"),
    ({"index": "7"}, "index must be a whole number"),
    ({"index": None}, "index must be a whole number"),
    ({"seed": -1}, "seed must lie between 0"),
    ({"seed": MAX_SEED + 1}, "seed must lie between 0"),
    ({"seed": 0.5}, "seed must be a whole number"),
    ({"target": 10}, "target class must lie between 0 and 9"),
    ({"target": -1}, "target class must lie between 0 and 9"),
    ({"target": True}, "target must be a whole number"),
    ({"eps": 0.0}, "eps must be a positive number"),
    ({"eps": -0.3}, "eps must be a positive number"),
    ({"eps": 1.01}, "eps 1.01 is above 1, the most for linf"),
    ({"eps": 1e30, "attack": "l1"}, "is above 784, the most for l1"),
    ({"eps": math.nan}, "eps must be a finite number"),
    ({"eps": math.inf}, "eps must be a finite number"),
    ({"eps": "big"}, "eps must be a finite number"),
    ({"step_size": 0.0}, "step size must be a positive number"),
    ({"step_size": 2.0}, "step size 2 is above 1"),
    ({"attack_steps": 0}, "steps must lie between 1 and 2000"),
    ({"attack_steps": 10**9}, "steps must lie between 1 and 2000"),
    ({"attack_steps": 1.5}, "attack_steps must be a whole number"),
    ({"solver": {"steps": 0}}, "steps must lie between 1 and 5000"),
    ({"solver": {"steps": 7.0}}, "steps must be a whole number"),
    ({"solver": {"lambda_fraction": math.nan}}, "lambda_fraction must be a finite number"),
    ({"solver": {"halve_at": [0]}}, "halve_at"),
    ({"solver": {"signal_step": "newton"}}, "signal steps are"),
    ({"solver": {"nonsense": 1}}, "unknown solver option 'nonsense'"),
    ({"solver": 5}, "solver must map"),
    ({"colour": "red"}, "unknown setting 'colour'"),
]


@pytest.mark.parametrize(("values", "message"), BAD, ids=[str(values) for values, _ in BAD])
def test_a_bad_value_gets_its_sentence(values, message):
    with pytest.raises(SettingsError, match=message) as caught:
        RunSettings.from_dict(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"index": "seven"}, "index must be a whole number, not 'seven'"),
        ({"eps": "nan"}, "eps must be a finite number"),
        ({"eps": "-1"}, "eps must be a positive number"),
        ({"attack_steps": "1e3"}, "attack_steps must be a whole number"),
        ({"solver.encoder_start": "maybe"}, "encoder_start must be true or false"),
        ({"solver.halve_at": "a,b"}, "halve_at must be whole numbers"),
        ({"solver.steps": "999999"}, "steps must lie between 1 and 5000"),
        ({"seed": "9" * 5000}, "seed must be a whole number"),
    ],
)
def test_a_bad_link_gets_its_sentence(query, message):
    with pytest.raises(SettingsError, match=message):
        RunSettings.from_query(query)


@given(st.dictionaries(st.sampled_from(["index", "eps", "seed", "solver.steps", "x"]), st.text()))
def test_any_link_gives_settings_or_a_sentence(query):
    with suppress(SettingsError):  # any other error fails the test
        settings = RunSettings.from_query(query)
        assert RunSettings.from_query(settings.as_query()) == settings


def test_a_solver_option_of_the_command_line():
    assert parse_solver_option("steps=12") == ("steps", 12)
    assert parse_solver_option("halve_at=40,80") == ("halve_at", (40, 80))
    assert parse_solver_option("encoder_start=false") == ("encoder_start", False)
    for text in ("steps", "steps=", "steps=many"):
        with pytest.raises(SettingsError, match="steps must be a whole number"):
            parse_solver_option(text)
    with pytest.raises(SettingsError, match="unknown solver option 'pace'"):
        parse_solver_option("pace=3")


def test_the_papers_attack_is_filled_in():
    assert RunSettings(attack="l2").attack_settings() == PAPER_ATTACKS["mnist"]["l2"]
    stronger = RunSettings(attack="l2", eps=3.0).attack_settings()
    assert (stronger.eps, stronger.steps) == (3.0, 200)
    assert RunSettings(attack="none").attack_settings() is None


def test_item_seeds_are_their_own_and_legal():
    seeds = {item_seed(seed, index) for seed in range(5) for index in range(-1, 1000)}
    assert len(seeds) == 5 * 1001
    assert all(0 <= item_seed(seed, 10_000) < 2**31 for seed in (0, 1, MAX_SEED))
