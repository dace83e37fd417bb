"""What docs/security.md states, held by the configuration and the code."""

import ast
import tomllib
from pathlib import Path

import pytest

from pages.ui.undo.own_image import MOST_FILES, MOST_IMAGES
from red_core.data.intake import MAX_BYTES, MAX_PIXELS

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# Where objects may be unpickled, and why.
UNPICKLES = {"red_core/run/convert.py": "--unpickle, for files from people you trust"}


def test_the_app_answers_on_this_machine_and_under_its_own_names() -> None:
    server = CONFIG["server"]
    assert server["address"] == "localhost"
    assert server["allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert "enableXsrfProtection" not in server, "on by default"
    assert "enableCORS" not in server
    assert server["maxUploadSize"] * 1_000_000 == MAX_BYTES


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:8501", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8501", True),
        ("[::1]:8501", True),
        ("evil.example:8501", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_other_names_get_no_socket(
    monkeypatch: pytest.MonkeyPatch, host: str | None, allowed: bool
) -> None:
    from streamlit.web.server.starlette import starlette_websocket as sockets

    names = CONFIG["server"]["allowedHosts"]
    monkeypatch.setattr(sockets.config, "get_option", lambda _: names)
    assert sockets.is_host_allowed(host) == allowed


def test_the_document_states_the_bounds_and_the_override() -> None:
    for words in (
        f"{MAX_BYTES // 1_000_000} MB",
        f"{MAX_PIXELS // 1_000_000} megapixels",
        f"{MOST_FILES} files and {MOST_IMAGES:,} images",
        "STREAMLIT_SERVER_ALLOWED_HOSTS",
        "server.allowedHosts",
    ):
        assert words in DOCUMENT
    assert len(DOCUMENT.splitlines()) <= 60, "one screen"


def calls(path: Path) -> set[str]:
    """The functions that a file calls, as they are written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_nothing_is_evaluated_or_unpickled() -> None:
    banned = {"eval", "exec", "pickle.load", "pickle.loads", "os.system", "marshal.loads"}
    for folder in ("red_core", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if str(path.relative_to(ROOT)) not in UNPICKLES:
                assert not calls(path) & banned, path


def test_tensors_are_loaded_without_their_code() -> None:
    """Every torch.load says weights_only, and says False in one place alone."""
    for path in (ROOT / "red_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                known = str(path.relative_to(ROOT)) in UNPICKLES
                assert given.get("weights_only") == ("not unpickle" if known else "True"), path
