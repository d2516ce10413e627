"""The pure rules of duty: questions by presses, the opening statement, the clock of a pause, the light."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.duty.light import Showing, light_for
from device.duty.pause import Pause
from device.duty.question import SETTLE_US, Question
from device.duty.statement import ENOUGH_SPEECH_MS, MID_SENTENCE_US, REMINDERS, Outcome, Statement
from device.interruptions import AUTHORITIES, PauseReason, Reason
from device.ports import Light
from device.signals import BUZZES, LIGHTS
from device.states import State

S = 1_000_000


def asked() -> Question:
    return Question("i1", tuple(Reason), until_us=30 * S)


@pytest.mark.parametrize("number", range(1, 13))
def test_as_many_presses_choose_that_reason_and_after_the_last_comes_the_first_again(number: int) -> None:
    question = asked()
    for _ in range(number):
        question = question.press().spoken(10 * S)
    assert question.chosen == tuple(Reason)[(number - 1) % len(Reason)]


def test_a_choice_stands_some_time_after_it_was_counted_back() -> None:
    question = asked().press().spoken(10 * S)
    assert not question.settled(10 * S + SETTLE_US - 1)
    assert question.settled(10 * S + SETTLE_US)
    # One that is being chosen does not expire, however late.
    assert not question.expired(100 * S)


def test_a_question_that_nobody_answers_expires_and_never_settles() -> None:
    assert not asked().expired(30 * S - 1)
    assert asked().expired(30 * S)
    assert not asked().settled(100 * S)
    assert asked().chosen is None


def statement() -> Statement:
    return Statement("r1", asked_us=0, listens_from_us=8 * S, window_us=30 * S)


def test_enough_speech_in_the_window_is_a_statement_that_began_with_the_first_word() -> None:
    one = statement()
    for second in range(10, 10 + ENOUGH_SPEECH_MS // 500):
        assert one.look(second * S) is None
        one = one.hear(second * S, 500)
    assert one.look(20 * S) is Outcome.HEARD
    assert one.speech_from_us == 9_500_000


def test_the_recorders_own_voice_is_no_statement() -> None:
    one = statement()
    for tenth in range(79):
        one = one.hear(tenth * S // 10, 100)
    assert one.speech_ms == 0
    assert one.speech_from_us is None


def test_two_reminders_each_with_a_window_of_its_own_then_it_is_missing() -> None:
    one, told = statement(), []
    for second in range(200):
        outcome = one.look(second * S)
        if outcome is Outcome.REMIND:
            told.append(second)
            one = one.remind((second + 3) * S)
        elif outcome is Outcome.MISSING:
            told.append(second)
            break
    assert told == [38, 38 + 33, 38 + 2 * 33]
    assert one.reminders == REMINDERS


def test_whoever_is_speaking_is_not_interrupted_by_a_reminder() -> None:
    one = statement().hear(37 * S, 500)
    assert one.look(38 * S) is None
    assert one.look(37 * S + MID_SENTENCE_US) is Outcome.REMIND


def test_speech_of_all_windows_adds_up() -> None:
    one = statement().hear(20 * S, ENOUGH_SPEECH_MS - 100).remind(41 * S)
    assert one.look(42 * S) is None
    assert one.hear(43 * S, 100).look(43 * S) is Outcome.HEARD


def reminders(pause: Pause, until_s: int) -> list[tuple[int, int]]:
    """When the officer was reminded (seconds since the pause began), and what of."""
    told = []
    for second in range(until_s):
        mark = pause.due(pause.began_us + second * S)
        if mark is not None:
            pause = pause.reminded(mark)
            told.append((second, mark))
    return told


def test_a_pause_reminds_before_its_limit_at_it_and_every_five_minutes_beyond() -> None:
    told = reminders(Pause("p1", None, began_us=7 * S, limit_s=1800), 2500)
    assert told == [(1200, 600), (1500, 300), (1740, 60), (1800, 0), (2100, -300), (2400, -600)]


def test_a_short_pause_is_not_reminded_of_before_it_began() -> None:
    assert reminders(Pause("p1", None, began_us=0, limit_s=120), 130) == [(60, 60), (120, 0)]


@given(st.integers(1, 5000), st.integers(0, 10_000))
def test_a_pause_that_a_restart_finds_is_reminded_of_once_for_all_that_passed_meanwhile(limit_s: int, s: int) -> None:
    pause = Pause("p1", None, began_us=-s * S, limit_s=limit_s)
    mark = pause.due(0)
    if mark is not None:
        assert pause.reminded(mark).due(0) is None
        assert mark >= pause.left_s(0)
    assert pause.left_s(0) == limit_s - s


@pytest.mark.parametrize(
    ("showing", "light"),
    [
        (Showing(State.STARTING), Light.STARTING),
        (Showing(State.STANDBY), Light.STANDBY),
        (Showing(State.STANDBY, low=True), Light.LOW),
        (Showing(State.STANDBY, card_fault=True, low=True), Light.FAULT),
        (Showing(State.RECORDING), Light.RECORDING),
        (Showing(State.RECORDING, sound_lost=True), Light.RECORDING),
        (Showing(State.RECORDING, low=True), Light.RECORDING_LOW),
        (Showing(State.RECORDING, noting=True), Light.RECORDING),
        (Showing(State.STANDBY, noting=True, low=True), Light.SOUND_ONLY),
        (Showing(State.FAULT, noting=True), Light.SOUND_ONLY),
        (Showing(State.INTERRUPTED, card_fault=True), Light.INTERRUPTED),
        (Showing(State.PAUSED, low=True), Light.PAUSED),
        (Showing(State.DOCKED), Light.DOCKED),
        (Showing(State.DOCKED, offloaded=True), Light.OFFLOADED),
        (Showing(State.DOCKED, offloaded=True, card_fault=True), Light.FAULT),
        (Showing(State.FAULT), Light.FAULT),
        (Showing(State.STOPPING, card_fault=True), Light.OFF),
    ],
)
def test_the_worst_is_shown(showing: Showing, light: Light) -> None:
    assert light_for(showing) is light


def test_red_means_that_pictures_are_recorded_and_nothing_else_does() -> None:
    """GA/T 947.2: on = green, sound only = yellow, video = red."""
    red = {Light.RECORDING, Light.RECORDING_LOW}
    for state, *flags in product(State, *[(False, True)] * 5):
        light = light_for(Showing(state, *flags))
        assert (light in red) == (state is State.RECORDING)
        assert (LIGHTS[light].colour == (1, 0, 0)) == (state in {State.RECORDING, State.INTERRUPTED})


def test_every_light_and_every_buzz_has_a_pattern_and_no_two_look_alike() -> None:
    assert set(LIGHTS) == set(Light)
    assert len(set(LIGHTS.values())) == len(Light)
    assert len(set(BUZZES.values())) == len(BUZZES)


def test_every_reason_for_a_pause_has_an_authority() -> None:
    assert set(AUTHORITIES) == set(PauseReason)
