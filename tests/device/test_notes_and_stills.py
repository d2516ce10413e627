"""Spoken notes and photos: made by hand, kept beside the segments, and named by what they belong to."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import av
import piexif
import piexif.helper
import pytest
from PIL import Image

from device.duty.statement import ENOUGH_SPEECH_MS
from device.ports import Buzz, Light, Position, Press
from device.spool import SpoolPaths
from evidence.account import Use
from evidence.io.verify_files import verify_path
from evidence.standing import Standing
from evidence.verify import Verdict
from tests.device.desk import Desk, next_boot
from tests.device.life import restart
from tests.device.speech import spoken
from tests.device.test_duties import account_of, break_camera, live, of_kind, root
from tests.device.unit import opened, unit

__all__ = ["root"]


def test_a_note_that_is_spoken_after_a_break_is_its_reason(root: Path) -> None:
    async def story(one: Desk) -> None:
        await break_camera(one)
        await one.note(spoken("weather"), 4)
        await one.wait(3)

    live(root, story)
    (broken,), (note,), (given,) = (of_kind(root, kind) for kind in ("interruption", "voice_note", "reason"))
    interruption = broken.fields["interruption"]
    assert note.fields["interruption"] == interruption
    assert given.fields == {"interruption": interruption, "reason": "spoken", "note": note.fields["blob"]}
    assert note.fields["speech_ms"] > 1_500
    assert 3_500_000 < note.fields["to_boot_us"] - note.fields["from_boot_us"] < 5_500_000
    with av.open(BytesIO(opened(SpoolPaths(root).blob(note.fields["blob"])))) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
    assert seconds == pytest.approx((note.fields["to_boot_us"] - note.fields["from_boot_us"]) / 1e6, abs=0.1)
    account = account_of(root)
    assert [one.state for one in account.interruptions] == [Standing.EXPLAINED]
    assert account.total_us(Use.UNEXPLAINED) == 0


def test_a_note_in_which_nobody_speaks_explains_nothing(root: Path) -> None:
    async def story(one: Desk) -> None:
        await break_camera(one)
        await one.press(Press.NOTE_BEGIN)
        await one.wait(3)
        await one.press(Press.NOTE_END)
        assert one.stage.panel.buzzed[-1] is Buzz.REFUSED

    live(root, story)
    assert of_kind(root, "voice_note", "reason") == []


def test_a_note_without_any_break_belongs_to_the_recording_and_in_standby_to_none(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.NOTE_BEGIN)
        assert one.stage.panel.shown[-1] is Light.SOUND_ONLY
        await one.say(spoken("short_note"), 3)
        await one.press(Press.NOTE_END)
        await one.press(Press.RECORD)
        await one.wait(1)
        await one.note(spoken("short_note"), 3)
        await one.wait(2)

    live(root, story)
    (started,) = of_kind(root, "recording_started")
    notes = [(note.fields["recording"], note.fields["interruption"]) for note in of_kind(root, "voice_note")]
    assert notes == [(None, None), (started.fields["recording"], None)]


def test_what_is_said_into_a_note_counts_as_the_statement_too(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.note(spoken(), 6)
        await one.wait(2)

    live(root, story)
    (heard,) = of_kind(root, "statement_heard")
    assert heard.fields["speech_ms"] >= ENOUGH_SPEECH_MS


def test_a_photo_belongs_to_the_fragment_that_shows_it_and_says_so_in_its_exif(root: Path) -> None:
    async def story(one: Desk) -> None:
        one.stage.locator.position = Position(38.9131, 106.5238, 1099.5)
        await one.press(Press.RECORD)
        await one.wait(2)
        await one.press(Press.STILL)
        await one.wait(4)
        await one.press(Press.STOP)
        await one.wait(2)

    live(root, story)
    (still,) = of_kind(root, "still")
    fields = still.fields
    (fragment,) = [
        entry
        for entry in of_kind(root, "fragment")
        if (entry.fields["segment"], entry.fields["index"]) == (fields["segment"], fields["index"])
    ]
    epoch_us = of_kind(root, "init")[0].fields["epoch_boot_us"]
    begin_us = epoch_us + fragment.fields["pts_us"]
    assert begin_us <= fields["captured_boot_us"] < begin_us + fragment.fields["duration_us"]
    data = opened(SpoolPaths(root).blob(fields["blob"]))
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (fields["width"], fields["height"])
    exif = piexif.load(data)
    about = json.loads(piexif.helper.UserComment.load(exif["Exif"][piexif.ExifIFD.UserComment]))
    assert (about["entry"], about["segment"], about["index"]) == (still.seq, fields["segment"], fields["index"])
    assert exif["GPS"][piexif.GPSIFD.GPSLatitudeRef] == b"N"


def test_a_photo_in_standby_belongs_to_no_recording(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.STILL)
        await one.wait(2)

    live(root, story)
    (still,) = of_kind(root, "still")
    assert [still.fields[name] for name in ("recording", "segment", "index")] == [None, None, None]


def test_more_photos_than_memory_holds_are_refused_and_felt(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        one.stage.camera.dead = True
        for _ in range(12):
            one.stage.panel.press(Press.STILL)
        await one.wait(1)
        assert Buzz.REFUSED in one.stage.panel.buzzed
        one.stage.camera.dead = False
        await one.wait(4)

    live(root, story)
    assert 1 <= len(of_kind(root, "still")) <= 8


def test_photos_and_notes_survive_a_power_cut_and_verify(root: Path) -> None:
    async def story(one: Desk) -> None:
        await one.press(Press.RECORD)
        await one.press(Press.STILL)
        await one.note(spoken("short_note"), 3)
        await one.wait(4)

    clock = next_boot(live(root, story))
    restart(root, clock)
    assert len(of_kind(root, "still")) == len(of_kind(root, "voice_note")) == 1
    report = verify_path(root, unit().trust)
    assert report.verdict is Verdict.AUTHENTIC, report.defects
