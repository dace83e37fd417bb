"""The limits on what visitors use of this process, and the message shown at each.

Every bound has a variable of the environment that names another one (docs/deploy.md).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

MB = 2**20


@dataclass(frozen=True)
class Limit:
    """A bound, a whole number from 0.

    variable: of the environment, which names another one; default: what holds without it.
    """

    variable: str
    default: int

    @property
    def value(self) -> int:
        """The bound that holds now."""
        given = os.environ.get(self.variable, "")
        return int(given) if given.isascii() and given.isdecimal() else self.default


SESSIONS = Limit("RED_SESSIONS", 200)  # visitors connected at once
RUNS = Limit("RED_RUNS", 100)  # workers that compute or wait at once, of all pages
RUN_MINUTES = Limit("RED_RUN_MINUTES", 30)  # of computing, of one worker
SESSION_MB = Limit("RED_SESSION_MB", 256)  # of a visitor's runs, and of a visitor's files
UPLOAD_MB = Limit("RED_UPLOAD_MB", 60)  # that a visitor uploads within a minute
RECORD_MB = Limit("RED_RECORD_MB", 32)  # of the records that later visitors get; 0: none are kept


def counted(number: int, noun: str) -> str:
    """A number of things: "1 run", "2 runs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def too_many_visitors() -> str:
    """Message to a visitor beyond SESSIONS."""
    visitors = counted(SESSIONS.value, "visitor")
    return (
        f"This server takes {visitors} at once, and all places are taken. Reload this page in a "
        "few minutes."
    )


def too_many_runs() -> str:
    """Message for a run beyond RUNS, which does not begin."""
    if not RUNS.value:
        return "This server computes no runs. It plays the recorded ones."
    return (
        f"This server computes {counted(RUNS.value, 'run')} at once, and as many have begun. Press "
        "Run again in a minute."
    )


def run_too_long() -> str:
    """Below the verdict of a run that was stopped."""
    minutes = counted(RUN_MINUTES.value, "minute")
    return f"It was stopped after {minutes} of computing, the most that one run gets here."


def runs_too_large() -> str:
    """Below the verdict of a run that was stopped."""
    return (
        f"It was stopped: the runs of this tab fill {SESSION_MB.value} MB, the most that one "
        "visitor gets here."
    )


def upload_too_fast(seconds: int) -> str:
    """In the place of a file that was not taken; seconds: until it would be, 0 for never."""
    if not UPLOAD_MB.value:
        return "This server takes no files."
    more = f" Upload the last file again in {seconds} s." if seconds else ""
    return f"A visitor may upload {UPLOAD_MB.value} MB a minute here, and this was more.{more}"


def upload_too_large() -> str:
    """In the place of a file that was not taken."""
    return (
        f"The files above would fill more than {SESSION_MB.value} MB, the most that one visitor "
        "gets here. Remove some, then upload the last one again."
    )


class Sessions:
    """The admitted sessions: at most SESSIONS that are connected.

    connected: whether a session's browser is there.
    """

    def __init__(self, connected: Callable[[str], bool]) -> None:
        self._connected = connected
        self._admitted: set[str] = set()
        self._lock = threading.Lock()

    def admit(self, session: str) -> bool:
        """Whether a session is admitted; it stays so until its browser disconnects."""
        with self._lock:
            if session not in self._admitted:
                self._admitted = {each for each in self._admitted if self._connected(each)}
                if len(self._admitted) >= SESSIONS.value:
                    return False
                self._admitted.add(session)
            return True


def connected(session: str) -> bool:
    """Whether the browser of a session is there."""
    return Runtime.exists() and Runtime.instance().is_active_session(session)


ADMITTED = Sessions(connected)


def session_id() -> str:
    """The session whose script this is; "" outside of one."""
    context = get_script_run_ctx()
    return "" if context is None else context.session_id
