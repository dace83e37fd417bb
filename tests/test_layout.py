"""House rules that no linter checks: sizes of files, names of hosts and paths of machines."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 40_000_000
# Written in two parts so that this file does not hold what it looks for.
HOSTS = re.compile(
    r"\b("
    + "|".join(
        re.escape(a + b)
        for a, b in [
            ("pypi.", "org"),
            ("python", "hosted.org"),
            ("download.", "pytorch.org"),
            ("ana", "conda.org"),
            ("registry.", "npmjs.org"),
            ("cdn.js", "delivr.net"),
            ("un", "pkg.com"),
            ("cdn.", "plot.ly"),
            ("deb.", "debian.org"),
            ("docker.", "io"),
            ("gh", "cr.io"),
        ]
    )
    + r")\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$}/-])/(work|tmp|root)(/|\b(?![\w-]))")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    # A file deleted but not yet committed is still listed.
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_is_large() -> None:
    large = {relative(p): p.stat().st_size for p in tracked() if p.stat().st_size > MAX_BYTES}
    assert not large


def test_no_tracked_text_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # weights and pictures
        for pattern in (HOSTS, MACHINE_PATHS):
            found += [f"{relative(path)}: {m.group()}" for m in pattern.finditer(text)]
    assert not found


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("see /" + "work/main", True),
        ("'/" + "tmp/x'", True),
        ("cd /" + "root", True),
        ("the folder .work/mnist", False),
        ("a framework/rootless", False),
        ("$HOME/" + "work/x", False),
        ("https://example.com/" + "work", False),
    ],
)
def test_machine_paths_are_told_from_others(text: str, seen: bool) -> None:
    assert bool(MACHINE_PATHS.search(text)) == seen
