"""Spoken notes: what the microphone hears while MARK is held, kept on the card as a small file of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from device.capture.voice_note import VoiceNote
from device.duty.tools import Tools
from device.ports import SoundBlock
from device.speech import SpeechDetector
from evidence.errors import CaptureError, DiscError

LEAST_SPEECH_MS = 500
"""With less nobody has said anything."""


@dataclass(frozen=True, slots=True)
class KeptNote:
    """A note that is durable: its name, the hash of its bytes."""

    blob: str


class Notes:
    """The note that is being spoken, if any."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._note: VoiceNote | None = None
        self._detector = SpeechDetector()
        self._speech_ms = 0

    @property
    def running(self) -> bool:
        """Somebody is speaking one."""
        return self._note is not None

    @property
    def full(self) -> bool:
        """The note is as long as one may become."""
        return self._note is not None and self._note.full

    def begin(self) -> None:
        """Listen from now on."""
        if self._note is None:
            self._tools.recorder.listeners.append(self._hear)
        self._note, self._detector, self._speech_ms = VoiceNote(), SpeechDetector(), 0

    async def end(self, recording: str | None, interruption: str | None) -> KeptNote | None:
        """Keep what was said; None when nobody spoke, or when the card does not take it."""
        note, self._note = self._note, None
        if note is None:
            return None
        self._tools.recorder.listeners.remove(self._hear)
        if self._speech_ms < LEAST_SPEECH_MS:
            return None
        try:
            data = await asyncio.to_thread(note.finish, self._tools.clock.at(note.from_boot_us))
            blob = await self._keep(note, data, recording, interruption)
        except (CaptureError, DiscError):
            return None
        return KeptNote(blob)

    async def _keep(self, note: VoiceNote, data: bytes, recording: str | None, interruption: str | None) -> str:
        entry = await self._tools.thread.run(
            self._tools.spool.keep_blob,
            "voice_note",
            lambda _: data,
            self._tools.clock.now(),
            recording=recording,
            interruption=interruption,
            from_boot_us=note.from_boot_us,
            to_boot_us=note.to_boot_us,
            speech_ms=self._speech_ms,
        )
        blob: str = entry.fields["blob"]
        return blob

    def _hear(self, block: SoundBlock) -> None:
        if self._note is not None:
            self._note.add(block)
            self._speech_ms += self._detector.add(block.samples)
