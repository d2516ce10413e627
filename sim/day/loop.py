"""An event loop whose time jumps to the next thing that happens, so that a day takes as long as its work.

There are no threads, no files to wait for and no sockets in it: calls for a thread run in the loop, one after the
other. So the same world gives the same order of everything, every time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class StandstillError(RuntimeError):
    """Everybody waits, and nothing will ever happen again: a deadlock."""


class _Leap:
    """Stands where a loop has its selector: instead of waiting it lets the time pass."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise StandstillError("everybody waits for somebody else")
        self.now_s += timeout
        return []


class WorldLoop(asyncio.BaseEventLoop):
    """Time begins at 0 s and passes only while everybody waits."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Leap()

    def time(self) -> float:
        return self._selector.now_s

    def run_in_executor(
        self, executor: object, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Run the call in the loop as soon as it is its turn, whichever thread it was meant for."""
        del executor
        return self.create_task(_called(func, *args))

    def _process_events(self, event_list: list[object]) -> None:
        """There are none: nothing comes from outside the world."""

    def _write_to_self(self) -> None:
        """Nobody else's thread has to wake this loop: there is none."""


async def _called(func: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
    return func(*args)


def run_world(life: Coroutine[Any, Any, Result]) -> Result:
    """Run a world from its beginning to its end."""
    with asyncio.Runner(loop_factory=WorldLoop) as runner:
        return runner.run(life)
