"""Between picamera2's threads and the recorder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import ParamSpec

from evidence.errors import LiuhenError

Given = ParamSpec("Given")
# What drawing, encoding and handing on can raise; RuntimeError also comes from an event loop that has closed.
CALLBACK_ERRORS = (LiuhenError, RuntimeError, ValueError, KeyError, OSError)

log = logging.getLogger(__name__)


class Gate:
    """Lets callbacks through, one at a time, until one fails or the camera is stopped; then it is shut for good.

    An exception in a callback would end picamera2's thread without a word, and stopping the camera would hang. So the
    error is logged and nothing is delivered any more, until the recorder notices the stall and starts the camera anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = True

    def let_through(self, act: Callable[Given, None], *given: Given.args, **named: Given.kwargs) -> None:
        """Call `act`, unless the gate is shut. Raises nothing that can be expected."""
        with self._lock:
            if not self._open:
                return
            try:
                act(*given, **named)
            except CALLBACK_ERRORS as error:
                self._open = False
                log.error("the camera gives no picture any more: %s", error)

    def shut(self) -> None:
        """Wait for the callback that is under way; none comes after this returns."""
        with self._lock:
            self._open = False
