"""`evaluate --table`: in this process, in two that share the work, and after a kill."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import red_core.measure.attack_cache
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.cli import main
from red_core.data.assets import read_manifest
from red_core.measure.attack_cache import AttackCache, Target
from red_core.measure.tables import load_answers, load_table
from red_core.methods import fit
from red_core.run.bundle import load_bundle

ROOT = Path(__file__).resolve().parents[3]
WORDS = (
    *("evaluate", "--table", "1", "--source", "bundled", "--methods", "cnn,m-inf"),
    *("--examples", "12", "--batch", "3", "--device", "cpu"),
)
UNITS = 4 * (2 * 2 + 1)  # chunks x (methods x (linf, none) + M_inf through its own weights)

# Dies by SIGKILL while it writes its seventh unit, with half of the file on the disk.
DYING = """
import os, signal, sys
import red_core.measure.tables.measure_table as measuring
from red_core.cli import main

written, write_atomically = [], measuring.write_atomically

def write(path, content):
    written.append(path)
    if len(written) == 7:
        path.with_name(path.name + ".part").write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    write_atomically(path, content)

measuring.write_atomically = write
main(sys.argv[1:])
"""


def words(work: Path) -> list[str]:
    """The arguments that measure a small table; its report lies beside the work folder."""
    out = ["--work", str(work), "--json", str(work.with_suffix(".json"))]
    return [*WORDS, "--attacks", "linf,none", *out]


def report(work: Path) -> dict:
    """The report without what differs from run to run: how long it took, and in what setting."""
    found = json.loads(work.with_suffix(".json").read_text())
    for name in ("runs", "provenance"):
        found.pop(name)
    for by_attack in found["blocks"].values():
        for by_entry in by_attack.values():
            for cell in by_entry.values():
                assert cell.pop("seconds") > 0
    return found


def units(work: Path) -> dict[str, int]:
    """The finished units, and when each was written."""
    files = (work / "tables").rglob("*.json")
    return {str(path.relative_to(work)): path.stat().st_mtime_ns for path in files}


@pytest.fixture
def attacked(toy_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder with attacked images in it: PGD is not what is tested here."""

    def noisy(psi, images, labels, attack, seeds):
        draw = torch.Generator().manual_seed(len(str(psi.state_dict())) + seeds[0])
        noise = 0.6 * torch.rand(images.shape, generator=draw) - 0.3
        return (images + noise).clamp(0, 1)

    folder, bundle = tmp_path / "attacked", load_bundle("mnist")
    robust = fit("m-inf", bundle)
    with monkeypatch.context() as patch:
        patch.setattr(red_core.measure.attack_cache, "craft", noisy)
        for target in (None, Target(robust.network, robust.files)):
            attack = PAPER_ATTACKS["mnist"]["linf"]
            AttackCache(bundle, attack, 0, 12, folder / "attacks", target).fill()
    return folder


def assert_same_table_of_two(done: subprocess.CompletedProcess[str], two: Path, one: Path) -> None:
    """Two processes ended well, with the table of one."""
    assert done.returncode == 0, done.stderr
    assert report(two) == report(one)
    assert json.loads(two.with_suffix(".json").read_text())["provenance"]["processes"] == 2


def test_two_processes_give_the_table_of_one(attacked: Path, tmp_path: Path, capsys) -> None:
    one, two = (shutil.copytree(attacked, tmp_path / name) for name in ("one", "two"))
    assert main(words(one)) == 0
    alone = capsys.readouterr().err
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "red_core"]
    done = subprocess.run(
        [sys.executable, "-m", *torchrun, *words(two)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert_same_table_of_two(done, two, one)
    # Each does half of the work, and one of them speaks.
    assert f"{3 * UNITS}/{3 * UNITS}" in alone
    assert f"{3 * UNITS // 2}/{3 * UNITS // 2}" in done.stderr
    assert f"{3 * UNITS}/{3 * UNITS}" not in done.stderr
    assert done.stdout.count("written") == 1
    assert len(units(two)) == UNITS


# What Slurm gives the script of a job: the machines' names, and a process on each of them.
SCONTROL = "#!/bin/sh\necho localhost\necho another\n"
SRUN = """#!/bin/sh
"$@" & first=$!
"$@" & second=$!
wait $first && wait $second
"""


def test_the_slurm_example_measures_the_table_with_two_machines(
    attacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (shutil.copytree(attacked, tmp_path / name) for name in ("one", "two"))
    assert main(words(one)) == 0
    script = (ROOT / "docs/deploy/tables.slurm").read_text()
    assert script.count(".venv/bin/python") == 1
    job = tmp_path / "job"
    job.write_text(script.replace(".venv/bin/python", sys.executable))
    for name, text in (("scontrol", SCONTROL), ("srun", SRUN)):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(text)
        command.chmod(0o755)
    with socket.socket() as free:  # the script takes a port of 20000 to 29999 by the job's number
        for number in range(os.getpid() % 10_000, 20_000):
            if free.connect_ex(("localhost", 20_000 + number % 10_000)):
                break
    done = subprocess.run(
        ["sh", str(job), *words(two)[1:]],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "SLURM_JOB_ID": str(number),
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_JOB_NUM_NODES": "2",
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert_same_table_of_two(done, two, one)
    assert done.stdout.count("written") == 1
    assert len(units(two)) == UNITS


def test_a_kill_loses_nothing_and_repeats_nothing(attacked: Path, tmp_path: Path) -> None:
    work, whole = (shutil.copytree(attacked, tmp_path / name) for name in ("killed", "whole"))
    killed = subprocess.run(
        [sys.executable, "-c", DYING, *words(work)], cwd=ROOT, capture_output=True, timeout=280
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not work.with_suffix(".json").exists()
    before = units(work)
    assert len(before) == 6
    assert main(words(work)) == 0
    after = units(work)
    assert {name: after[name] for name in before} == before  # none was written twice
    assert len(after) == UNITS
    assert main(words(whole)) == 0
    assert report(work) == report(whole)


@pytest.fixture
def quick(toy_tables: Path, quick_attacks: None, tmp_path: Path) -> list[str]:
    """Words that measure a table within a second or two."""
    return [*WORDS, "--work", str(tmp_path / "work")]


def test_it_keeps_only_when_asked(quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*quick, "--attacks", "none"]) == 0
    assert load_answers("1", "bundled") is None
    assert main([*quick, "--attacks", "none", "--keep"]) == 0
    shown = capsys.readouterr().out
    assert "Table 1: 12 images of 12 bundled held-out examples" in shown
    assert "kept" in shown
    kept = load_answers("1", "bundled")
    assert kept is not None
    assert set(kept["blocks"]["psi"]["none"]) == {"cnn", "m-inf"}
    assert load_table("1") is None  # a table states the official images alone
    made = read_manifest("mnist")["answers1-bundled.json"]["command"]
    assert made == (
        "python -m red_core evaluate --table 1 --examples 12 --methods cnn,m-inf "
        "--attacks none --source bundled --seed 0 --keep"
    )


def test_a_later_run_joins_the_kept_one(quick: list[str]) -> None:
    assert main([*quick, "--attacks", "none", "--methods", "cnn", "--keep"]) == 0
    assert main([*quick, "--attacks", "linf,none", "--methods", "m-inf", "--keep"]) == 0
    kept = load_answers("1", "bundled")
    assert kept is not None
    assert set(kept["blocks"]["psi"]["none"]) == {"cnn", "m-inf"}
    assert set(kept["blocks"]["psi"]["linf"]) == {"m-inf"}
    assert set(kept["blocks"]["white-box"]["linf"]) == {"m-inf"}
    assert len(kept["runs"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--table 1 --methods nobody", "Table 1 has no 'nobody' among its methods: choose cnn"),
        ("--table 4 --methods cnn", "Table 4 has no 'cnn' among its methods"),
        ("--table 1 --attacks l7", "no 'l7' among its attacks: choose linf, l2, l1, none"),
        ("--table 1 --blocks grey", "no 'grey' among its blocks: choose psi, white-box"),
        ("--table 1 --source own", "unknown source 'own': choose official, bundled"),
        ("--table 7", "invalid choice: '7'"),
        ("--table 1 --preset paper", "--preset does not go with --table"),
        ("--table 1 --generator dcgan", "--generator does not go with --table"),
        ("--table 1 --attack l2", "--attack does not go with --table"),
        ("--table 1 --set steps=3", "--set does not go with --table"),
        ("--table 1 --dataset fashion", "--dataset does not go with --table"),
        ("--table 1 --eps-scale 2", "--eps-scale does not go with --table"),
        ("--table 1 --seed -1", "the seed must lie between"),
        ("--table 1 --methods ,", "names none"),
        ("--table 1", "is not under"),  # the official test set
        ("--methods cnn", "--methods goes with --table"),
        ("--keep", "--keep goes with --table"),
    ],
)
def test_bad_input_is_one_line(
    toy_assets: Path, tmp_path: Path, capsys, words: str, message: str
) -> None:
    assert main(["evaluate", *words.split(), "--work", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_another_seed_cannot_join(quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*quick, "--attacks", "none", "--keep"]) == 0
    capsys.readouterr()
    assert main([*quick, "--attacks", "none", "--keep", "--seed", "3"]) == 2
    shown = capsys.readouterr()
    assert "have seed 0; those of seed 3" in shown.err
    assert "answer/s" not in shown.err  # refused before the work
