"""The loudspeaker through PyAudio (PortAudio, ALSA), in callback mode."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress

import numpy as np

from device.hw.port_audio import ONE_AT_A_TIME, open_port_audio
from device.ports import SOUND_RATE_HZ, Samples

BLOCK_SAMPLES = SOUND_RATE_HZ // 50
STALL_S = 2.0
"""A device that takes no sound for so long has gone."""
LONGEST_QUEUE_SAMPLES = 60 * SOUND_RATE_HZ
"""More than a minute of talk helps nobody: what comes on top of it is not said."""
log = logging.getLogger(__name__)


class PyAudioSpeaker:
    """A `Speaker`: the default output of ALSA, opened when there is something to say and closed after it.

    All that may block is done on a thread of its own, which lives as long as there is something to say. A device that
    is missing or has gone makes it silent: `fault` says why, what was queued is forgotten (a prompt that comes late
    misleads), and the next sound tries again. Raises ConfigError without PyAudio.
    """

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._library, self._portaudio = open_port_audio("speaker")
        self._stall_s = stall_s
        self._changed = threading.Condition()
        self._queue: deque[Samples] = deque()
        self._queued_samples = 0
        self._blocks_taken = 0
        self._playing = False
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with the device, None while it plays or has not been asked to."""
        return self._fault

    def play(self, samples: Samples) -> None:
        with self._changed:
            if self._queued_samples + samples.size > LONGEST_QUEUE_SAMPLES:
                return
            self._queue.append(samples)
            self._queued_samples += samples.size
            if not self._playing:
                self._playing = True
                threading.Thread(target=self._run, name="speaker", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._forget()

    def _run(self) -> None:
        """Play until nothing is queued. A sound that comes while the device is being closed opens it again."""
        while True:
            fault = self._play_all()
            with self._changed:
                if fault is not None:
                    log.log(logging.DEBUG if self._fault else logging.WARNING, "the speaker is silent: %s", fault)
                    self._forget()
                self._fault = fault
                if not self._queue:
                    self._playing = False
                    return

    def _play_all(self) -> str | None:
        """Open, play, close; what went wrong, if anything."""
        try:
            with ONE_AT_A_TIME:
                stream = self._portaudio.open(
                    rate=SOUND_RATE_HZ,
                    channels=1,
                    format=self._library.paInt16,
                    output=True,
                    frames_per_buffer=BLOCK_SAMPLES,
                    stream_callback=self._next_block,
                )
        except OSError as error:
            return f"cannot be opened: {error}"
        fault = self._wait_until_played()
        with suppress(OSError):  # one that was pulled out cannot be stopped any more, only closed
            # Waits until the device has played what it was given.
            stream.stop_stream()
        with ONE_AT_A_TIME:
            stream.close()
        return fault

    def _wait_until_played(self) -> str | None:
        with self._changed:
            while self._queue:
                taken = self._blocks_taken
                if not self._changed.wait(self._stall_s) and self._blocks_taken == taken:
                    return "takes no sound any more"
            return None

    def _next_block(self, _heard: object, count: int, _times: object, _flags: int) -> tuple[bytes, int]:
        """On PortAudio's thread: the next samples, and silence where there are none."""
        block = np.zeros(count, np.int16)
        filled = 0
        with self._changed:
            while self._queue and filled < count:
                part = self._queue[0][: count - filled]
                block[filled : filled + part.size] = part
                filled += part.size
                rest = self._queue.popleft()[part.size :]
                if rest.size:
                    self._queue.appendleft(rest)
            self._queued_samples -= filled
            self._blocks_taken += 1
            self._changed.notify_all()
        return block.tobytes(), self._library.paContinue

    def _forget(self) -> None:
        self._queue.clear()
        self._queued_samples = 0
        self._changed.notify_all()
