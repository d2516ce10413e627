"""Spoken notes: what was said comes out of an ordinary file, at its time."""

import json
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from device.capture.voice_note import LONGEST_US, VoiceNote
from device.ports import SOUND_RATE_HZ, Samples, SoundBlock
from evidence.boxes import whole_boxes
from evidence.errors import CaptureError
from evidence.model import ClockGrade, Timestamp

BLOCK = 960
BLOCK_US = 20_000
START_US = 7_000_000
BEGAN = Timestamp(1_795_290_708_123_456, 480, ClockGrade.NTP, None, "3f" * 16, START_US)


def block(number: int, level: int = 9_000) -> SoundBlock:
    """The `number`th 20 ms of a 440 Hz tone."""
    time = (np.arange(BLOCK) + number * BLOCK) / SOUND_RATE_HZ
    tone = (np.sin(time * 440 * 2 * np.pi) * level).astype(np.int16)
    return SoundBlock(tone, number * BLOCK, START_US + (number + 1) * BLOCK_US)


def spoken(*numbers: int) -> VoiceNote:
    note = VoiceNote()
    for number in numbers:
        note.add(block(number))
    return note


def heard(data: bytes) -> Samples:
    """All samples as a player hears them."""
    with av.open(BytesIO(data)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0) if frame.pts >= 0]
    return np.asarray(np.concatenate(frames) * 32768, np.int16)


def probed(path: Path) -> dict[str, Any]:
    wanted = ["-show_format", "-show_streams", "-of", "json"]
    done = subprocess.run(["ffprobe", "-v", "error", *wanted, path], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return dict(json.loads(done.stdout))


def test_a_note_is_an_ordinary_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "note.m4a"
    path.write_bytes(spoken(*range(150)).finish(BEGAN))
    facts = probed(path)
    (stream,) = facts["streams"]
    assert (stream["codec_name"], stream["profile"], stream["sample_rate"]) == ("aac", "LC", "48000")
    assert (stream["channels"], stream["start_time"]) == (1, "0.000000")
    assert float(facts["format"]["duration"]) == pytest.approx(3, abs=0.03)
    assert float(facts["format"]["bit_rate"]) < 40_000
    assert facts["format"]["tags"]["creation_time"] == "2026-11-21T19:51:48.000000Z"
    assert facts["format"]["tags"]["major_brand"] == "M4A "


def test_the_index_comes_first_so_that_it_plays_while_it_is_fetched() -> None:
    kinds = [kind for kind, _, _ in whole_boxes(spoken(*range(60)).finish(BEGAN))]
    assert kinds.index(b"moov") < kinds.index(b"mdat")


def test_it_says_from_when_to_when() -> None:
    note = spoken(*range(10, 60))
    assert note.from_boot_us == START_US + 10 * BLOCK_US
    assert note.to_boot_us == pytest.approx(START_US + 60 * BLOCK_US, abs=100)


def test_what_was_said_is_heard_and_what_was_lost_is_silence() -> None:
    samples = heard(spoken(*range(50), *range(75, 120)).finish(BEGAN))
    loud = [float(np.abs(samples[at * BLOCK : (at + 1) * BLOCK].astype(int)).mean()) for at in range(119)]
    assert min(loud[3:48] + loud[78:117]) > 4_000
    assert max(loud[54:72]) < 200


def test_a_note_of_no_sound_is_none() -> None:
    with pytest.raises(CaptureError, match="the microphone gave no sound"):
        VoiceNote().finish(BEGAN)


def test_one_block_is_a_note() -> None:
    assert len(heard(spoken(0).finish(BEGAN))) >= BLOCK


def test_a_note_ends_by_itself_after_three_minutes() -> None:
    note = spoken(0, 1)
    last = LONGEST_US // BLOCK_US - 1
    note.add(block(last))
    assert not note.full
    length_us = note.to_boot_us - note.from_boot_us
    assert length_us == pytest.approx(LONGEST_US, abs=100), "the longest loss there can be is silence"
    note.add(block(last + 1))
    note.add(block(2 * last))
    assert note.full
    assert note.to_boot_us - note.from_boot_us == length_us
