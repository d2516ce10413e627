"""The voice: table, members and files are one; a phrase is said whatever is wrong with its file."""

import tomllib
import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import LANGUAGES
from device.interruptions import Reason
from device.ports import SOUND_RATE_HZ
from device.voice.voice import CLIPS, ENDINGS, HOURS, ITEMS, KEPT_SAMPLES, MINUTES, Phrase, Voice, clip_names, decode
from evidence.errors import BadInputError
from sim.speaker import SimSpeaker
from tests.device.hand_clock import HandClock
from tests.device.stage import HandSpeaker

ROOT = Path(__file__).resolve().parents[2]
LINES = ROOT / "sim/media/speech"
LARGEST_BYTES = 3_000_000
LONGEST_S = {"zh-CN": 12.0, "en": 12.0}
LETTERS_PER_S = {"zh-CN": (1.5, 8.0), "en": (4.0, 22.0)}
QUIETEST_RMS = 1000


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


TABLE = read(CLIPS.parent / "phrases.toml")
SPOKEN = [
    *[(CLIPS, name, row) for name, row in TABLE["phrases"].items()],
    *[(CLIPS, f"{unit}-{n}", row) for unit, rows in TABLE["numbers"].items() for n, row in rows.items()],
    *[(LINES, name, row) for name, row in read(LINES / "lines.toml")["lines"].items()],
]
EVERY_TEXT = [
    pytest.param(folder / language / f"{name}.opus", row[language], language, id=f"{language}-{name}")
    for folder, name, row in SPOKEN
    for language in LANGUAGES
]


def title(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].metadata["title"]


def test_table_and_members_agree() -> None:
    assert list(TABLE["phrases"]) == [phrase.value for phrase in Phrase]
    assert all(set(row) <= {*LANGUAGES, "article", "number"} for row in TABLE["phrases"].values())
    numbered = {name: row["number"] for name, row in TABLE["phrases"].items() if "number" in row}
    assert numbered == {phrase.value: unit for phrase, (unit, _) in ENDINGS.items()}
    sayable = {unit: tuple(map(int, rows)) for unit, rows in TABLE["numbers"].items()}
    assert sayable == {"minutes": MINUTES, "hours": HOURS, "items": ITEMS}


def test_every_reason_is_counted_back_by_its_number() -> None:
    said = [TABLE["phrases"][f"reason_{reason}"]["zh-CN"] for reason in Reason]
    assert [text[0] for text in said] == list("一二三四五六")


@pytest.mark.parametrize(("path", "text", "language"), EVERY_TEXT)
def test_a_text_is_spoken_as_it_stands_in_the_table(path: Path, text: str, language: str) -> None:
    """Its file carries the text that was spoken, is loud, and lasts as long as such a text does."""
    assert title(path) == text, "render it anew: ./firmware_scripts/render_voice"
    samples = decode(path).astype(float)
    seconds = samples.size / SOUND_RATE_HZ
    slowest, fastest = LETTERS_PER_S[language]
    letters = sum(letter.isalnum() for letter in text)
    assert letters / fastest < seconds < letters / slowest + 0.3
    assert np.sqrt(np.mean(samples**2)) > QUIETEST_RMS


def test_there_are_no_other_files_and_they_are_small() -> None:
    wanted = {folder / language / f"{name}.opus" for folder, name, _ in SPOKEN for language in LANGUAGES}
    there = {*CLIPS.rglob("*.opus"), *LINES.rglob("*.opus")}
    assert there == wanted
    assert sum(path.stat().st_size for path in there) < LARGEST_BYTES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_is_queued_and_its_length_told(language: str) -> None:
    speaker = HandSpeaker()
    seconds = Voice(speaker, language, enabled=True).say(Phrase.STARTED)
    assert [sound.size / SOUND_RATE_HZ for sound in speaker.heard] == [seconds]
    assert np.array_equal(speaker.heard[0], decode(CLIPS / language / "started.opus"))


def test_a_number_comes_after_its_phrase() -> None:
    speaker = HandSpeaker()
    seconds = Voice(speaker, "zh-CN", enabled=True).say(Phrase.BATTERY_MINUTES_LEFT, 23)
    phrase, number = speaker.heard
    assert np.array_equal(number, decode(CLIPS / "zh-CN" / "minutes-20.opus"))
    assert seconds == (phrase.size + number.size) / SOUND_RATE_HZ


@pytest.mark.parametrize(
    ("phrase", "number", "said"),
    [
        (Phrase.BATTERY_MINUTES_LEFT, 0, "minutes-0"),
        (Phrase.BATTERY_MINUTES_LEFT, 14, "minutes-10"),
        (Phrase.STORAGE_MINUTES_LEFT, 10_000, "minutes-240"),
        (Phrase.OFFLOAD_DEADLINE_HOURS_LEFT, -3, "hours-0"),
        (Phrase.OFFLOAD_DEADLINE_HOURS_LEFT, 47, "hours-36"),
        (Phrase.REASON_STILL_OPEN, 12, "items-11"),
    ],
)
def test_a_number_is_rounded_down(phrase: Phrase, number: int, said: str) -> None:
    assert clip_names(phrase, number) == (phrase, said)


@given(st.sampled_from(sorted(ENDINGS)), st.integers())
def test_never_more_is_said_than_there_is(phrase: Phrase, number: int) -> None:
    _, (_, said) = clip_names(phrase, number)[0], clip_names(phrase, number)[1].split("-")
    assert int(said) <= max(number, 0)


def test_a_voice_that_is_off_says_nothing() -> None:
    speaker = HandSpeaker()
    assert Voice(speaker, "en", enabled=False).say(Phrase.STARTED) == 0.0
    assert speaker.heard == []


def test_quiet_forgets_what_is_queued() -> None:
    speaker = HandSpeaker()
    voice = Voice(speaker, "en", enabled=True)
    voice.say(Phrase.SAY_STATEMENT)
    voice.quiet()
    assert speaker.heard == []


@pytest.mark.parametrize("damage", [None, b"", b"OggS but not sound", b"half"])
def test_a_missing_or_broken_clip_is_a_line_in_the_log(
    tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "en").mkdir()
    whole = (CLIPS / "en" / "stopped.opus").read_bytes()
    if damage is not None:
        (tmp_path / "en" / "started.opus").write_bytes(whole[:60] if damage == b"half" else damage)
    (tmp_path / "en" / "stopped.opus").write_bytes(whole)
    speaker = HandSpeaker()
    voice = Voice(speaker, "en", enabled=True, clips=tmp_path)
    assert voice.say(Phrase.STARTED) == 0.0
    assert voice.say(Phrase.STARTED) == 0.0
    assert voice.say(Phrase.STOPPED) > 0
    assert len(speaker.heard) == 1
    (line,) = caplog.messages
    assert "the voice is silent" in line
    assert "started.opus" in line


def test_a_day_of_talk_keeps_little_in_memory() -> None:
    voice = Voice(SimSpeaker(HandClock()), "zh-CN", enabled=True)
    voice.say(Phrase.SAY_STATEMENT)
    tracemalloc.start()
    for phrase in Phrase:
        voice.say(phrase)
        voice.quiet()
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 1.5 * KEPT_SAMPLES * 2


def test_a_file_that_is_not_there_cannot_be_heard(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be heard"):
        decode(tmp_path / "none.opus")
