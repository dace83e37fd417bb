"""Alike work of several workers as one batch, computed by whichever of their threads has the turn.

Workers meet under a key. The first to come leads: its thread queues for a turn and computes for
all that have joined, while their threads sleep. Before every stretch newcomers are taken in and
those are let go who want something else (a pause, slow motion, a single step) or have arrived. A
leader that leaves hands over to the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch

from pages.ui.live.compute_queue import COMPUTE_QUEUE, DRAW_PRIORITY, SLICE, FairLock
from red_core.threads import threads_for

Member = TypeVar("Member")
Computed = TypeVar("Computed", contravariant=True)


class Batch(Protocol[Computed]):
    """What is computed for the members of one key.

    most: members at most; more are another batch, for which another core may be free.
    """

    most: int

    def wants(self, member: Computed) -> bool:
        """Whether there is something left to compute for it here."""

    def compute(self, members: Sequence[Computed]) -> Sequence[BaseException | None]:
        """One stretch for all of them; what failed, member by member."""

    def release(self, member: Computed) -> None:
        """Give a member back what is its own, before its thread goes on."""


@dataclass(eq=False)
class _Ticket(Generic[Member]):
    member: Member
    woken: threading.Event = field(default_factory=threading.Event)
    over: bool = False
    fault: BaseException | None = None


@dataclass(eq=False)
class _Group(Generic[Member]):
    batch: Batch[Member]
    tickets: list[_Ticket[Member]] = field(default_factory=list)
    leader: _Ticket[Member] | None = None


class Batches:
    """The batches that take their turns in one line."""

    def __init__(self, line: FairLock) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._groups: dict[Hashable, list[_Group[Any]]] = {}

    def join(self, member: Member, key: Hashable, make: Callable[[], Batch[Member]]) -> None:
        """Compute for `member` with all others of the key until its batch wants no more of it.

        make: the batch of the key, where nobody has begun one. Raises what failed for this member.
        """
        ticket = _Ticket(member)
        with self._lock:
            groups = self._groups.setdefault(key, [])
            open_ones = [each for each in groups if len(each.tickets) < each.batch.most]
            if not open_ones:
                open_ones = [_Group(make())]
                groups += open_ones
            group = open_ones[0]
            group.tickets.append(ticket)
            if group.leader is None:
                group.leader = ticket
        while not ticket.over:
            if group.leader is ticket:
                self._lead(key, group, ticket)
            else:
                ticket.woken.wait()
        if ticket.fault is not None:
            raise ticket.fault

    def _lead(self, key: Hashable, group: _Group[Any], ticket: _Ticket[Any]) -> None:
        """Compute for the group until the leader's own member leaves it, then hand over."""
        threads = torch.get_num_threads()
        try:
            while not ticket.over:
                with self._line.turn(give_up=lambda: self._let_go_all(group, ticket)) as mine:
                    until = time.perf_counter() + SLICE
                    while self._stretch(group, mine) and not ticket.over:
                        if time.perf_counter() > until and self._line.others_wait:
                            break
        except BaseException as error:  # of the batch as a whole
            for each in list(group.tickets):
                each.fault = error
                self._let_go(group, each)
        finally:
            torch.set_num_threads(threads)
            with self._lock:
                group.leader = group.tickets[0] if group.tickets else None
                if group.leader is None:
                    self._groups[key].remove(group)
                    if not self._groups[key]:
                        del self._groups[key]
                else:
                    group.leader.woken.set()

    def _stretch(self, group: _Group[Any], mine: bool) -> bool:
        """One stretch for those who want it, where the turn is `mine`; whether there were any."""
        self._let_go_all(group)
        with self._lock:
            tickets = list(group.tickets)
        if not tickets or not mine:
            return False
        DRAW_PRIORITY.let_draw()
        threads = threads_for(len(tickets)) if self._line.alone else 1
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        faults = group.batch.compute([each.member for each in tickets])
        for each, fault in zip(tickets, faults, strict=True):
            each.fault = fault
            if fault is not None or not group.batch.wants(each.member):
                self._let_go(group, each)
        return True

    def _let_go_all(self, group: _Group[Any], ticket: _Ticket[Any] | None = None) -> bool:
        """Let those go who want no more of it; whether `ticket` was one of them."""
        for each in list(group.tickets):
            if not group.batch.wants(each.member):
                self._let_go(group, each)
        return ticket is not None and ticket.over

    def _let_go(self, group: _Group[Any], ticket: _Ticket[Any]) -> None:
        group.batch.release(ticket.member)
        with self._lock:
            group.tickets.remove(ticket)
        ticket.over = True
        ticket.woken.set()


RUN_BATCHES = Batches(COMPUTE_QUEUE)  # of this process
