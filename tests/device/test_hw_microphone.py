"""The microphone's own part: counting, losses, errors. PortAudio is played by the smallest stand-in for its module."""

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from device.hw.pyaudio_microphone import BLOCK_SAMPLES, PyAudioMicrophone, lost_samples
from device.ports import SOUND_RATE_HZ, SoundBlock
from evidence.errors import CaptureError, ConfigError
from evidence.model import ClockGrade, Timestamp

NOTHING, OVERFLOW, CONTINUE = 0, 2, 0
BLOCK_US = 20_000


class HandClock:
    def __init__(self) -> None:
        self.boot_us = 1_000_000

    def now(self) -> Timestamp:
        return Timestamp(0, 0, ClockGrade.UNSET, None, "0" * 32, self.boot_us)


class PortAudio:
    """Keeps the callback that the adapter gives, to be called by hand."""

    paInt16, paInputOverflow, paContinue = 8, OVERFLOW, CONTINUE  # noqa: N815  PortAudio's names

    def __init__(self) -> None:
        self.clock = HandClock()
        self.hear: Callable[..., tuple[None, int]] | None = None
        self.error: OSError | None = None
        self.calls: list[str] = []

    def PyAudio(self) -> "PortAudio":  # noqa: N802  its name there
        os.write(2, b"ALSA lib pcm.c: Unknown PCM cards.pcm.rear\n")
        return self

    def open(self, **how: Any) -> SimpleNamespace:
        if self.error is not None:
            raise self.error
        assert (how["rate"], how["channels"], how["frames_per_buffer"]) == (SOUND_RATE_HZ, 1, BLOCK_SAMPLES)
        self.hear = how["stream_callback"]
        return SimpleNamespace(stop_stream=self.stop_stream, close=lambda: self.calls.append("close"))

    def stop_stream(self) -> None:
        self.calls.append("stop")
        raise OSError(-9988, "Stream closed")

    def block(self, after_us: int, flags: int = NOTHING) -> None:
        assert self.hear is not None
        self.clock.boot_us += after_us
        assert self.hear(b"\1\0" * BLOCK_SAMPLES, BLOCK_SAMPLES, {}, flags) == (None, CONTINUE)


@pytest.fixture
def port_audio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    port_audio = PortAudio()
    monkeypatch.setitem(sys.modules, "pyaudio", port_audio)
    return port_audio


def test_blocks_are_counted_and_stamped_on_arrival(port_audio: PortAudio) -> None:
    blocks: list[SoundBlock] = []
    PyAudioMicrophone(port_audio.clock).start(blocks.append)
    for _ in range(3):
        port_audio.block(BLOCK_US)
    assert [block.first_sample for block in blocks] == [0, BLOCK_SAMPLES, 2 * BLOCK_SAMPLES]
    assert [block.boot_us for block in blocks] == [1_020_000, 1_040_000, 1_060_000]
    assert all((block.samples == 1).all() and len(block.samples) == BLOCK_SAMPLES for block in blocks)


def test_an_overflow_is_counted_by_the_time_that_it_took(port_audio: PortAudio) -> None:
    blocks: list[SoundBlock] = []
    PyAudioMicrophone(port_audio.clock).start(blocks.append)
    port_audio.block(BLOCK_US, OVERFLOW)
    port_audio.block(BLOCK_US)
    port_audio.block(500_000, OVERFLOW)
    port_audio.block(BLOCK_US)
    lost = 480 * SOUND_RATE_HZ // 1000
    assert [block.first_sample for block in blocks] == [0, 960, 1920 + lost, 2880 + lost]


def test_a_block_that_comes_early_has_lost_nothing() -> None:
    assert lost_samples(BLOCK_US - 5_000, BLOCK_SAMPLES) == 0


def test_only_construction_is_silent(port_audio: PortAudio, capfd: pytest.CaptureFixture[str]) -> None:
    PyAudioMicrophone(port_audio.clock)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_one_that_was_pulled_out_is_closed_all_the_same(port_audio: PortAudio) -> None:
    microphone = PyAudioMicrophone(port_audio.clock)
    microphone.start(lambda _: None)
    microphone.stop()
    microphone.stop()
    assert port_audio.calls == ["stop", "close"]


def test_a_missing_microphone_is_a_capture_error(port_audio: PortAudio) -> None:
    port_audio.error = OSError("No Default Input Device Available")
    with pytest.raises(CaptureError, match="microphone: cannot be opened: No Default"):
        PyAudioMicrophone(port_audio.clock).start(lambda _: None)


def test_a_missing_library_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(ConfigError, match="apt install python3-pyaudio"):
        PyAudioMicrophone(HandClock())
