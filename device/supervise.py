"""Tasks that may fail without stopping the recording: tried again with back-off, and said each time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from device.ports import Clock
from evidence.errors import LiuhenError

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
log = logging.getLogger(__name__)


async def supervise(name: str, task: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run `task` again and again, waiting longer after each expected error. Errors of ours go through."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            await task()
            wait_s = FIRST_WAIT_S
        except LiuhenError as error:
            log.warning("%s failed, again in %.0f s: %s", name, wait_s, error)
        await clock.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
