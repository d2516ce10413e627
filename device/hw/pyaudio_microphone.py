"""The microphone through PyAudio (PortAudio, ALSA), in callback mode."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from device.hw.port_audio import ONE_AT_A_TIME, open_port_audio
from device.ports import SOUND_RATE_HZ, Clock, SoundBlock
from evidence.errors import CaptureError

BLOCK_SAMPLES = SOUND_RATE_HZ // 50


class PyAudioMicrophone:
    """A `Microphone`: the default input of ALSA, in blocks of 20 ms from PortAudio's own thread.

    Raises ConfigError without PyAudio.
    """

    def __init__(self, clock: Clock) -> None:
        self._library, self._portaudio = open_port_audio("microphone")
        self._clock = clock
        self._stream: Any = None

    def start(self, deliver: Callable[[SoundBlock], None]) -> None:
        next_sample = last_us = 0

        # PortAudio's own time stamps follow the wall clock and its steps, so the time is taken here.
        def hear(data: bytes, count: int, _times: object, flags: int) -> tuple[None, int]:
            nonlocal next_sample, last_us
            now_us = self._clock.now().boot_us
            if flags & self._library.paInputOverflow and last_us:
                next_sample += lost_samples(now_us - last_us, count)
            deliver(SoundBlock(np.frombuffer(data, np.int16), next_sample, now_us))
            next_sample, last_us = next_sample + count, now_us
            return None, self._library.paContinue

        try:
            with ONE_AT_A_TIME:
                self._stream = self._portaudio.open(
                    rate=SOUND_RATE_HZ,
                    channels=1,
                    format=self._library.paInt16,
                    input=True,
                    frames_per_buffer=BLOCK_SAMPLES,
                    stream_callback=hear,
                )
        except OSError as error:
            hint = "check its cable; arecord -l lists what is there"
            raise CaptureError("microphone", f"cannot be opened: {error}", hint) from error

    def stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        with suppress(OSError):  # one that was pulled out cannot be stopped any more, only closed
            stream.stop_stream()
        with ONE_AT_A_TIME:
            stream.close()


def lost_samples(since_last_block_us: int, count: int) -> int:
    """What an overflow has cost, by the time since the block before: PortAudio tells only that there was one."""
    return max(0, round(since_last_block_us * SOUND_RATE_HZ / 1_000_000) - count)
