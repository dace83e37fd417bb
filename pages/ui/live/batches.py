"""Batches: workers with the same kind of work computed together, by one of their threads.

Workers join the batch of a key. The thread of the first one leads: it queues for a turn and
computes for all members, while the other threads wait. Between two rounds new members are added,
and members are released that have finished, or that pause, slow down or take a single step. When
the leader is released, the next member leads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch

from pages.ui.live.compute_queue import COMPUTE_QUEUE, DRAW_PRIORITY, FairLock
from red_core.threads import threads_for

Member = TypeVar("Member")
Computed = TypeVar("Computed", contravariant=True)


class Batch(Protocol[Computed]):
    """What is computed for the members of one key.

    most: members at most; further ones get another batch, for which another core may be free.
    """

    most: int

    def has_work(self, member: Computed) -> bool:
        """Whether there is something left to compute for it here."""

    def compute(self, members: Sequence[Computed]) -> Sequence[BaseException | None]:
        """One round for all of them; the error of each, None for those without."""

    def release(self, member: Computed) -> None:
        """Return a member's own state to it, before its thread continues."""


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
    """The batches of one compute queue."""

    def __init__(self, line: FairLock) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._groups: dict[Hashable, list[_Group[Any]]] = {}

    def join(self, member: Member, key: Hashable, make: Callable[[], Batch[Member]]) -> None:
        """Compute `member` with the others of its key until its batch has no more work for it.

        make: makes the batch of the key, where there is none yet. Raises this member's error.
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
        """Compute for the group until the leader's own member is released, then hand over."""
        threads = torch.get_num_threads()
        try:
            while not ticket.over:
                with self._line.turn(give_up=lambda: self._release_idle(group, ticket)) as mine:
                    began = time.perf_counter()
                    while self._round(group, mine) and not ticket.over:
                        if self._line.is_over(began):
                            break
        except BaseException as error:  # of the batch as a whole
            for each in list(group.tickets):
                each.fault = error
                self._release(group, each)
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

    def _round(self, group: _Group[Any], mine: bool) -> bool:
        """One round for the members, where the turn is `mine`; whether there was one."""
        self._release_idle(group)
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
            if fault is not None or not group.batch.has_work(each.member):
                self._release(group, each)
        return True

    def _release_idle(self, group: _Group[Any], ticket: _Ticket[Any] | None = None) -> bool:
        """Release the members without work; whether that of `ticket` is released."""
        for each in list(group.tickets):
            if not group.batch.has_work(each.member):
                self._release(group, each)
        return ticket is not None and ticket.over

    def _release(self, group: _Group[Any], ticket: _Ticket[Any]) -> None:
        group.batch.release(ticket.member)
        with self._lock:
            group.tickets.remove(ticket)
        ticket.over = True
        ticket.woken.set()


RUN_BATCHES = Batches(COMPUTE_QUEUE)  # of this process
