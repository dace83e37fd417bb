"""What may be uploaded in a minute and at once, and what a browser is answered."""

from __future__ import annotations

import asyncio

import pytest

from pages.ui.live import limits
from pages.ui.live.uploads import MINUTE, UploadLimit, Uploads


@pytest.fixture
def there() -> set[str]:
    return {"mine", "yours"}


@pytest.fixture
def uploads(clock, there, monkeypatch) -> Uploads:
    monkeypatch.setattr(limits, "MB", 1)
    monkeypatch.setenv(limits.UPLOAD_MB.variable, "10")
    monkeypatch.setenv(limits.SESSION_MB.variable, "25")
    return Uploads(there.__contains__, clock)


def test_a_visitor_uploads_so_much_a_minute(uploads, clock) -> None:
    assert uploads.take("mine", "a", 6)
    clock.now = 20
    assert uploads.take("mine", "b", 4)
    assert not uploads.take("mine", "c", 1)
    assert uploads.refusal("mine") == (
        "A visitor may upload 10 MB a minute here, and this was more. Upload the last file again "
        "in 40 s."
    )
    assert not uploads.take("mine", "c", 8)
    assert "in 60 s." in uploads.refusal("mine"), "only the second one makes room for so much"
    assert uploads.take("yours", "a", 10)
    assert uploads.refusal("yours") == ""
    clock.now = MINUTE + 1
    assert uploads.take("mine", "c", 6)
    assert uploads.refusal("mine"), "the one before was not taken"
    clock.now += MINUTE
    assert uploads.refusal("mine") == ""


def test_a_visitor_holds_so_much_at_once(uploads, clock) -> None:
    for number, size in enumerate((10, 10, 5)):
        clock.now += MINUTE + 1
        assert uploads.take("mine", str(number), size)
    clock.now += MINUTE + 1
    assert not uploads.take("mine", "3", 1)
    assert uploads.refusal("mine") == (
        "The files above would fill more than 25 MB, the most that one visitor gets here. Remove "
        "some, then upload the last one again."
    )
    assert uploads.take("mine", "0", 10), "the same file again"
    uploads.remove("mine", "1")
    assert uploads.refusal("mine") == ""
    clock.now += MINUTE + 1
    assert uploads.take("mine", "3", 10)


def test_a_file_that_fits_into_no_minute_is_told_no_waiting_time(uploads, monkeypatch) -> None:
    assert not uploads.take("mine", "a", 11)
    assert uploads.refusal("mine").endswith("and this was more.")
    monkeypatch.setenv(limits.UPLOAD_MB.variable, "0")
    assert not uploads.take("mine", "a", 1)
    assert uploads.refusal("mine") == "This server takes no files."


def test_a_visitor_who_is_gone_is_forgotten(uploads, there) -> None:
    assert uploads.take("mine", "a", 10)
    there.remove("mine")
    assert uploads.take("yours", "a", 10)
    assert list(uploads._visitors) == ["yours"]


def ask(
    uploads: Uploads, method: str, session: str, size: int | None, status: int = 204
) -> tuple[int, int]:
    """Send a request through the limit; the status it is answered with, and the bytes that came."""
    taken, said = 0, 0
    body = b"x" * (size or 0)
    parts = [body[:2], body[2:]]

    async def app(scope, receive, send) -> None:
        nonlocal taken
        more = True
        while more:
            message = await receive()
            taken += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": len(parts) > 0}

    async def send(message) -> None:
        nonlocal said
        said = message.get("status", said)

    headers = [] if size is None else [(b"content-length", str(size).encode())]
    path = f"/red/_stcore/upload_file/{session}/file"
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(UploadLimit(app, uploads)(scope, receive, send))
    return said, taken


def test_a_file_beyond_the_bound_does_not_reach_the_app(uploads) -> None:
    assert ask(uploads, "PUT", "mine", 10) == (204, 10)
    assert ask(uploads, "PUT", "mine", 1) == (204, 0), "read and forgotten"
    assert uploads.refusal("mine")
    assert ask(uploads, "DELETE", "mine", 0) == (204, 0)
    assert uploads.refusal("mine") == ""


def test_what_the_app_refuses_is_not_kept(uploads, clock) -> None:
    assert ask(uploads, "PUT", "mine", 10, status=413) == (413, 10)
    assert uploads._visitors["mine"].files == {}


def test_a_session_that_is_not_there_is_the_apps_business(uploads) -> None:
    assert ask(uploads, "PUT", "nobody", 99, status=400) == (400, 99)
    assert uploads._visitors == {}


def test_an_upload_without_a_length_is_refused(uploads) -> None:
    assert ask(uploads, "PUT", "mine", None) == (411, 0)
