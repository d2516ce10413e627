"""The recorder's voice: a phrase, and a number where it has one, queued on the speaker.

What is said stands in `phrases.toml`; it was rendered once, into `clips/LANGUAGE/`. A clip that is missing or broken is
a line in the log and silence: nothing here ever stops a recording.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

from device.ports import SOUND_RATE_HZ, Samples, Speaker
from evidence.errors import BadInputError

CLIPS = Path(__file__).parent / "clips"
KEPT_SAMPLES = 10 * SOUND_RATE_HZ
"""So much decoded sound is kept for the next time, about a megabyte: what is said again is short."""
log = logging.getLogger(__name__)


class Phrase(StrEnum):
    """Every phrase of the table."""

    STARTED = "started"
    STOPPED = "stopped"
    SIGNED_ON = "signed_on"
    UNASSIGNED = "unassigned"
    FIT = "fit"
    NOT_FIT = "not_fit"
    SAY_STATEMENT = "say_statement"
    STATEMENT_REMINDER = "statement_reminder"
    STATEMENT_MISSING = "statement_missing"
    INTERRUPTED = "interrupted"
    RESUMED = "resumed"
    SAY_REASON = "say_reason"
    REASON_DEVICE_FAULT = "reason_device_fault"
    REASON_WEATHER = "reason_weather"
    REASON_BATTERY = "reason_battery"
    REASON_STORAGE = "reason_storage"
    REASON_OBSTRUCTION = "reason_obstruction"
    REASON_OTHER = "reason_other"
    REASON_KEPT = "reason_kept"
    REASON_STILL_OPEN = "reason_still_open"
    REPORT_SENT = "report_sent"
    NOTE_KEPT = "note_kept"
    NOTE_EMPTY = "note_empty"
    BOOKMARK = "bookmark"
    PHOTO = "photo"
    PAUSE_WHICH = "pause_which"
    PAUSE_DANGEROUS_CHEMICALS = "pause_dangerous_chemicals"
    PAUSE_SECRETS = "pause_secrets"
    PAUSE_UNSUITABLE = "pause_unsuitable"
    PAUSE_ORDERED = "pause_ordered"
    PAUSED = "paused"
    PAUSE_MINUTES_LEFT = "pause_minutes_left"
    PAUSE_OVER = "pause_over"
    BATTERY_MINUTES_LEFT = "battery_minutes_left"
    STORAGE_MINUTES_LEFT = "storage_minutes_left"
    BATTERY_STOPPING = "battery_stopping"
    STORAGE_FULL = "storage_full"
    FAULT_CAMERA = "fault_camera"
    FAULT_MICROPHONE = "fault_microphone"
    FAULT_CARD = "fault_card"
    FAULT_HEAT = "fault_heat"
    FAULT_CLEARED = "fault_cleared"
    TAMPER = "tamper"
    DOCKED = "docked"
    OFFLOAD_DONE = "offload_done"
    OFFLOAD_DEADLINE_HOURS_LEFT = "offload_deadline_hours_left"


MINUTES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60, 90, 120, 180, 240)
HOURS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 18, 24, 36, 48)
ITEMS = tuple(range(12))

ENDINGS: Mapping[Phrase, tuple[str, tuple[int, ...]]] = {
    Phrase.REASON_STILL_OPEN: ("items", ITEMS),
    Phrase.PAUSE_MINUTES_LEFT: ("minutes", MINUTES),
    Phrase.BATTERY_MINUTES_LEFT: ("minutes", MINUTES),
    Phrase.STORAGE_MINUTES_LEFT: ("minutes", MINUTES),
    Phrase.OFFLOAD_DEADLINE_HOURS_LEFT: ("hours", HOURS),
}
"""The phrases that end with a number: its unit, and the numbers of that unit that can be said."""


class Voice:
    """Says phrases in one language (`zh-CN`, `en`), or nothing at all where `enabled` is false."""

    def __init__(self, speaker: Speaker, language: str, enabled: bool, clips: Path = CLIPS) -> None:
        self._speaker = speaker
        self._folder = clips / language
        self._enabled = enabled
        self._kept: OrderedDict[str, Samples] = OrderedDict()

    def say(self, phrase: Phrase, number: int | None = None) -> float:
        """Queue a phrase behind what is being said; gives the seconds of sound it has, 0 when nothing is said.

        A phrase with a number says the largest that can be said and does not exceed it.
        """
        if not self._enabled:
            return 0.0
        heard_samples = 0
        for name in clip_names(phrase, number):
            samples = self._clip(name)
            if samples.size:
                self._speaker.play(samples)
            heard_samples += samples.size
        return heard_samples / SOUND_RATE_HZ

    def quiet(self) -> None:
        """Say nothing more of what is queued."""
        self._speaker.stop()

    def _clip(self, name: str) -> Samples:
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        path = self._folder / f"{name}.opus"
        try:
            samples = decode(path)
        except BadInputError as error:
            log.warning("the voice is silent: %s", error)
            samples = np.zeros(0, np.int16)
        self._kept[name] = samples
        while len(self._kept) > 1 and sum(kept.size for kept in self._kept.values()) > KEPT_SAMPLES:
            self._kept.popitem(last=False)
        return samples


def clip_names(phrase: Phrase, number: int | None = None) -> tuple[str, ...]:
    """The clips that make up a phrase, in order."""
    if number is None or phrase not in ENDINGS:
        return (phrase.value,)
    unit, sayable = ENDINGS[phrase]
    said = max((one for one in sayable if one <= number), default=0)
    return (phrase.value, f"{unit}-{said}")


def decode(path: Path) -> Samples:
    """A sound file as mono samples at the ports' rate. Raises BadInputError."""
    parts: list[Samples] = []
    resampler = AudioResampler("s16", "mono", SOUND_RATE_HZ)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(container.streams.audio[0]):
                parts.extend(mono.to_ndarray()[0] for mono in resampler.resample(frame))
        parts.extend(mono.to_ndarray()[0] for mono in resampler.resample(None))
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:  # no file, no sound in it, damaged sound
        raise BadInputError(str(path), f"cannot be heard: {error}") from error
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)
