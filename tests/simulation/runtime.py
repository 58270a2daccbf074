"""Virtual time: threads of several processes as greenlets in one OS thread, one after the other by a seeded clock.

Whatever waits (a sleep, an inbox, a join, a request) switches to the scheduler, which goes on with the task that is
due next; at equal times chance decides. So a seed always plays the same way, and an hour costs nothing.

A process that crashes is never resumed: none of its code runs any more, and whatever it still tries while its
stacks are taken down raises `Killed`.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["Killed", "Process", "Scheduler", "SimClock", "SimInbox", "SimWorkers", "Stuck", "Task"]

_EPOCH = 1_800_000_000.0
_TICK = 1e-6
_MOST_SWITCHES = 30_000


class Killed(GreenletExit):
    """Ends a thread of a process that has crashed. No `except Exception` catches it."""


class Stuck(AssertionError):
    """Nothing can go on, or it goes on for ever."""


class Task:
    """One thread."""

    def __init__(self, process: Process, work: Callable[[], None], name: str) -> None:
        self.process = process
        self.name = f"{process.name}/{name}"
        self.done = False
        self.ticket = 0
        self.joining: list[Task] = []
        self.greenlet = greenlet(self._run, process.scheduler.hub)
        self._work = work

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            if self.process.alive:
                self.process.scheduler.failed(self, error)
        self.done = True
        for task in self.joining:
            self.process.scheduler.wake(task)


class Process:
    """A process with its threads. It may be suspended, as by a laptop's lid, or crash, as by SIGKILL."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.scheduler = scheduler
        self.name = name
        self.alive = True
        self.suspended_until = 0.0
        self.tasks: list[Task] = []

    def start(self, work: Callable[[], None], name: str) -> Task:
        self.check()
        task = Task(self, work, name)
        self.tasks.append(task)
        self.scheduler.wake(task)
        return task

    def check(self) -> None:
        """Let no code of a crashed process reach the world."""
        if not self.alive:
            raise Killed

    def suspend(self, seconds: float) -> None:
        """Run none of its threads for so long; its clocks go on (rule 10)."""
        self.suspended_until = max(self.suspended_until, self.scheduler.now + seconds)

    def crash(self) -> None:
        """End all its threads where they stand. Called by one of them, it does not return."""
        self.alive = False
        self.scheduler.crashed.append(self)
        if any(task.greenlet is getcurrent() for task in self.tasks):
            self.scheduler.hub.switch()
            raise Killed


class Scheduler:
    """Who goes on when. `run` goes on until every task is done."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = 5_000.0
        self.hub = getcurrent()
        self.switches = 0
        self.crashed: list[Process] = []
        self._due: list[tuple[float, float, int, Task, int]] = []
        self._entries = 0
        self._open: set[Task] = set()
        self._current: Task | None = None
        self._failure: BaseException | None = None

    def failed(self, task: Task, error: BaseException) -> None:
        """A thread raised what nobody caught: the simulation fails with it."""
        error.add_note(f"in {task.name} at {self.now:.3f}")
        self._failure = self._failure or error

    def wake(self, task: Task) -> None:
        """Let a task that pauses, or has not begun, go on now."""
        self._enter(self.now, task)

    def pause(self, until: float | None = None) -> None:
        """Wait until another task wakes this one, or until a time."""
        task = self._current
        if task is None or task.greenlet is not getcurrent():
            raise RuntimeError("only a task can pause")
        task.process.check()
        task.ticket += 1
        if until is not None:
            self._enter(max(until, self.now + _TICK), task)
        self.hub.switch()
        task.process.check()

    @property
    def wall(self) -> float:
        """The time of day, UTC seconds since 1970: one for all processes, the database's clock among them."""
        return _EPOCH + self.now

    @property
    def current(self) -> Task:
        """The task that runs."""
        if self._current is None:
            raise RuntimeError("no task runs")
        return self._current

    def run(self, *, until: float) -> None:
        """Go on until all is done.

        Raises:
            Stuck: a task waits for what never comes, or something goes on beyond `until`.
        """
        while self._due:
            when, _, _, task, ticket = heapq.heappop(self._due)
            if task.done or ticket != task.ticket or not task.process.alive:
                continue
            if task.process.suspended_until > when:
                self._enter(task.process.suspended_until, task)
                continue
            self.now = max(self.now, when)
            self.switches += 1
            if self.now > until or self.switches > _MOST_SWITCHES:
                raise Stuck(f"{task.name} goes on and on: {self.now:.0f} s, {self.switches} switches")
            self._go_on(task)
        waiting = sorted(task.name for task in self._open if task.process.alive and not task.done)
        if waiting:
            raise Stuck(f"nobody wakes {', '.join(waiting)}")

    def _go_on(self, task: Task) -> None:
        task.ticket += 1
        self._current = task
        task.greenlet.switch()
        self._current = None
        if task.done:
            self._open.discard(task)
        self._bury()
        if self._failure is not None:
            raise self._failure

    def _bury(self) -> None:
        """Take down the stacks of crashed processes; whatever they try raises `Killed`."""
        while self.crashed:
            for task in self.crashed.pop().tasks:
                if not task.done and task.greenlet:
                    task.greenlet.throw(Killed)
                task.done = True
                self._open.discard(task)

    def _enter(self, when: float, task: Task) -> None:
        self._open.add(task)
        self._entries += 1
        heapq.heappush(self._due, (when, self.chance.random(), self._entries, task, task.ticket))


class SimInbox:
    """`Inbox` in virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._messages: deque[Any] = deque()
        self._readers: list[Task] = []

    def put(self, message: Any) -> None:
        self._messages.append(message)
        if self._readers:
            self._scheduler.wake(self._readers.pop(0))

    def get(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")  # as queue.Queue has it
        deadline = None if timeout is None else self._scheduler.now + timeout
        task = self._scheduler.current
        task.process.check()
        waited = False
        while not self._messages:
            if waited and deadline is not None and self._scheduler.now >= deadline:
                return None
            self._readers.append(task)
            self._scheduler.pause(deadline)
            if task in self._readers:
                self._readers.remove(task)
            waited = True
        return self._messages.popleft()


class _SimThread:
    def __init__(self, scheduler: Scheduler, task: Task) -> None:
        self._scheduler = scheduler
        self._task = task

    def join(self) -> None:
        while not self._task.done:
            self._task.joining.append(self._scheduler.current)
            self._scheduler.pause()


class SimWorkers:
    """`Workers` of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def inbox(self) -> SimInbox:
        return SimInbox(self._process.scheduler)

    def start(self, work: Callable[[], None], *, name: str) -> _SimThread:
        return _SimThread(self._process.scheduler, self._process.start(work, name))


class SimClock:
    """`Clock` of one process; the elapsed clock counts suspension, as CLOCK_BOOTTIME does."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def elapsed(self) -> float:
        return self._scheduler.now

    def now(self) -> float:
        return self._scheduler.wall

    def sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")  # as time.sleep has it
        self._scheduler.pause(self._scheduler.now + seconds)
