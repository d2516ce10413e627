"""Every speaker behaves alike: the simulated one, and the real one on a PortAudio that a test lets take sound."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import pytest

from device.hw.pyaudio_speaker import BLOCK_SAMPLES, LONGEST_QUEUE_SAMPLES, PyAudioSpeaker
from device.ports import SOUND_RATE_HZ, Samples, Speaker
from evidence.errors import ConfigError
from sim.speaker import REMEMBERED, SimSpeaker
from tests.device.hand_clock import HandClock

PATIENCE_S = 20
STALL_S = 0.05
SECOND = SOUND_RATE_HZ
BLOCK_S = BLOCK_SAMPLES / SOUND_RATE_HZ


class Stand(Protocol):
    """A speaker and the air around it."""

    speaker: Speaker

    def listen(self, seconds: float) -> None:
        """Let so much time pass."""

    def heard(self) -> Samples:
        """All sound so far, silence left out."""

    def unplug(self) -> None: ...

    def plug(self) -> None: ...


class SimStand:
    def __init__(self) -> None:
        self._clock = HandClock()
        self.speaker = SimSpeaker(self._clock)
        self.unplug, self.plug = self.speaker.unplug, self.speaker.plug

    def listen(self, seconds: float) -> None:
        self._clock.advance_to(self._clock.boot_us + round(seconds * 1e6))

    def heard(self) -> Samples:
        now_us = self._clock.boot_us
        played = [one.samples[: (now_us - one.boot_us) * 48 // 1000] for one in self.speaker.heard]
        return np.concatenate([np.zeros(0, np.int16), *played])


class PortAudio:
    """Its module, its `PyAudio` and its stream at once: a device that takes a block when time passes."""

    paInt16, paContinue = 8, 0  # noqa: N815  PortAudio's names

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.blocks_to_take = 0
        self.gone = False
        self.may_open = threading.Event()
        self.may_open.set()
        self.air: list[bytes] = []
        self.opened = 0
        self._next: Callable[..., tuple[bytes, int]] | None = None
        self._device: threading.Thread | None = None

    def PyAudio(self) -> "PortAudio":  # noqa: N802  its name there
        return self

    def open(self, **how: Any) -> "PortAudio":
        assert (how["rate"], how["channels"], how["output"]) == (SOUND_RATE_HZ, 1, True)
        assert self.may_open.wait(PATIENCE_S)
        if self.gone:
            raise OSError(-9996, "Invalid output device (no default output device)")
        self.opened += 1
        self._next = how["stream_callback"]
        self._device = threading.Thread(target=self._take, daemon=True)
        self._device.start()
        return self

    def _take(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self._next is None or (self.blocks_to_take > 0 and not self.gone))
                if (next_block := self._next) is None:
                    return
                self.blocks_to_take -= 1
            block, _ = next_block(None, BLOCK_SAMPLES, {}, 0)
            self.air.append(block)

    def stop_stream(self) -> None:
        if self.gone:
            raise OSError(-9988, "Stream closed")

    def close(self) -> None:
        with self.changed:
            self._next = None
            self.changed.notify_all()
        assert self._device is not None
        self._device.join(PATIENCE_S)


class PyAudioStand:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.audio = PortAudio()
        monkeypatch.setitem(sys.modules, "pyaudio", self.audio)
        self.speaker = PyAudioSpeaker(STALL_S)

    def listen(self, seconds: float) -> None:
        """As the device would: so many blocks, or as many as the speaker has something for."""
        with self.audio.changed:
            self.audio.blocks_to_take = round(seconds / BLOCK_S)
            self.audio.changed.notify_all()
        while self.audio.blocks_to_take and (speaking := speaking_thread()):
            speaking.join(0.01)
        self.audio.blocks_to_take = 0

    def heard(self) -> Samples:
        sound = np.frombuffer(b"".join(self.audio.air), np.int16)
        return sound[sound != 0]

    def unplug(self) -> None:
        self.audio.gone = True
        if speaking := speaking_thread():
            speaking.join(PATIENCE_S)

    def plug(self) -> None:
        self.audio.gone = False


def speaking_thread() -> threading.Thread | None:
    return next((thread for thread in threading.enumerate() if thread.name == "speaker"), None)


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Iterator[PyAudioStand]:
    stand = PyAudioStand(monkeypatch)
    yield stand
    stand.audio.may_open.set()
    stand.speaker.stop()
    if speaking := speaking_thread():
        speaking.join(PATIENCE_S)


@pytest.fixture(params=["sim", "pyaudio"])
def stand(request: pytest.FixtureRequest) -> Stand:
    return SimStand() if request.param == "sim" else request.getfixturevalue("real")


def tone(samples: int, level: int) -> Samples:
    return np.full(samples, level, np.int16)


def test_sounds_are_heard_whole_one_after_the_other(stand: Stand) -> None:
    first, second = tone(SECOND // 2 + 7, 100), tone(SECOND // 4, 200)
    stand.speaker.play(first)
    stand.speaker.play(second)
    stand.listen(2)
    assert np.array_equal(stand.heard(), np.concatenate([first, second]))


def test_stop_is_silence_at_once_and_for_what_is_queued(stand: Stand) -> None:
    stand.speaker.play(tone(SECOND, 100))
    stand.speaker.play(tone(SECOND, 200))
    stand.listen(0.2)
    stand.speaker.stop()
    stand.listen(2)
    assert abs(stand.heard().size / SECOND - 0.2) <= 2 * BLOCK_S


def test_after_a_stop_it_speaks_again(stand: Stand) -> None:
    stand.speaker.stop()
    stand.speaker.play(tone(SECOND, 100))
    stand.listen(0.2)
    stand.speaker.stop()
    stand.listen(1)
    stand.speaker.play(tone(480, 200))
    stand.listen(1)
    assert (stand.heard() == 200).sum() == 480


def test_a_missing_device_is_silence_and_tried_again(stand: Stand) -> None:
    stand.unplug()
    stand.speaker.play(tone(SECOND, 100))
    stand.listen(2)
    assert stand.heard().size == 0
    stand.plug()
    stand.speaker.play(tone(SECOND, 200))
    stand.listen(2)
    assert (stand.heard() == 200).sum() == SECOND
    assert (stand.heard() == 100).sum() == 0


def test_what_was_queued_when_the_device_went_is_never_said(stand: Stand) -> None:
    stand.speaker.play(tone(SECOND, 100))
    stand.listen(0.2)
    stand.unplug()
    stand.listen(5)
    stand.plug()
    stand.speaker.play(tone(480, 200))
    stand.listen(1)
    assert (stand.heard() == 200).sum() == 480
    assert (stand.heard() == 100).sum() < SECOND / 4


def test_nothing_to_play_is_nothing(stand: Stand) -> None:
    stand.speaker.play(tone(0, 0))
    stand.listen(1)
    assert stand.heard().size == 0


def test_the_fault_is_told_once_and_goes_with_its_cause(real: PyAudioStand, caplog: pytest.LogCaptureFixture) -> None:
    assert real.speaker.fault is None
    real.unplug()
    for _ in range(3):
        real.speaker.play(tone(480, 100))
        real.listen(1)
    assert real.speaker.fault is not None
    assert real.speaker.fault.startswith("cannot be opened: ")
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    real.plug()
    real.speaker.play(tone(480, 200))
    real.listen(1)
    assert real.speaker.fault is None


def test_a_device_that_takes_no_sound_any_more_is_a_fault(real: PyAudioStand) -> None:
    real.speaker.play(tone(SECOND, 100))
    real.listen(0.2)
    real.unplug()
    assert real.speaker.fault == "takes no sound any more"


def test_nobody_waits_for_a_device_that_hangs(real: PyAudioStand) -> None:
    real.audio.may_open.clear()
    for _ in range(100):
        real.speaker.play(tone(SECOND, 100))
    real.speaker.stop()
    real.speaker.play(tone(480, 200))
    real.audio.may_open.set()
    real.listen(1)
    assert real.heard().tolist() == [200] * 480


def test_more_than_a_minute_is_not_kept(real: PyAudioStand) -> None:
    real.audio.may_open.clear()
    for _ in range(100):
        real.speaker.play(tone(SECOND, 100))
    real.audio.may_open.set()
    real.listen(200)
    assert real.heard().size == LONGEST_QUEUE_SAMPLES


def test_the_device_is_not_kept_open_between_sounds(real: PyAudioStand) -> None:
    for _ in range(2):
        real.speaker.play(tone(480, 100))
        real.listen(1)
    assert real.audio.opened == 2


def test_a_missing_library_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(ConfigError, match=r"speaker: .*apt install python3-pyaudio"):
        PyAudioSpeaker()


def test_a_shift_of_talk_is_remembered_in_part() -> None:
    speaker = SimSpeaker(HandClock())
    for number in range(1000):
        speaker.play(tone(480, number))
    assert [int(one.samples[0]) for one in speaker.heard] == list(range(1000 - REMEMBERED, 1000))
