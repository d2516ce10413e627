"""A person beside the recorder understands it, and is understood."""

import numpy as np
import pytest

from device.config import LANGUAGES
from device.speech import SpeechDetector
from device.voice.voice import Phrase, Voice
from evidence.errors import BadInputError
from sim.ear import UNKNOWN, speech, understood
from sim.speaker import SimSpeaker
from tests.device.hand_clock import HandClock


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_recorder_says_is_understood(language: str) -> None:
    clock = HandClock()
    speaker = SimSpeaker(clock)
    voice = Voice(speaker, language, enabled=True)
    voice.say(Phrase.STARTED)
    voice.say(Phrase.BATTERY_MINUTES_LEFT, 17)
    clock.advance_to(10_000_000)
    voice.say(Phrase.STOPPED)
    said = [understood(one.samples, language) for one in speaker.heard]
    assert said == ["started", "battery_minutes_left", "minutes-15", "stopped"]
    assert speaker.heard[-1].boot_us == 10_000_000
    assert understood(speaker.heard[0].samples[:1000], language) == UNKNOWN


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_statement_is_speech(language: str) -> None:
    assert SpeechDetector().add(speech("statement", language)) > 4_000


def test_a_line_that_nobody_knows_is_told() -> None:
    with pytest.raises(BadInputError, match=r"nothing\.opus"):
        speech("nothing", "en")


def test_silence_is_not_understood() -> None:
    assert understood(np.zeros(100, np.int16), "en") == UNKNOWN
