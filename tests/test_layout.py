"""The house rules that a reader cannot check by eye: imports, sizes, names of hosts and paths."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "red_core").rglob("*.py"))
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


def imports(path: Path) -> set[str]:
    """The dotted names of every module that a file imports, wherever in it."""
    found: set[str] = set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def below(names: set[str], *packages: str) -> set[str]:
    """Those of `names` that are one of the packages or inside it."""
    return {n for n in names for p in packages if n == p or n.startswith(p + ".")}


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


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_knows_no_screen(path: Path) -> None:
    assert not below(imports(path), "streamlit", "plotly", "pages", "app")


def users(package: str) -> set[str]:
    """The files outside `package` that import it or something in it."""
    inside = package.replace(".", "/") + "/"
    files = [*CORE, *(ROOT / "pages").rglob("*.py"), *ROOT.glob("*.py")]
    return {
        relative(path)
        for path in files
        if below(imports(path), package) and not relative(path).startswith(inside)
    }


def test_only_the_command_line_uses_recipes() -> None:
    # The command `recipe` is __main__'s; nothing else may reach recipes through it, either.
    assert users("red_core.recipes") <= {"red_core/__main__.py", "red_core/cli/recipe.py"}
    assert users("red_core.cli") <= {"red_core/__main__.py"}


def test_relative_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "red_core" / "data" / "x.py"
    file.parent.mkdir(parents=True)
    file.write_text("def f():\n    from ..recipes import common\n    import plotly.graph_objects\n")
    assert below(imports(file), "red_core.recipes")
    assert below(imports(file), "plotly")


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
