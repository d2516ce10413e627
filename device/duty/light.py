"""Which light the recorder shows: a table from worst to best, the first row that fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device.ports import Light
from device.states import State


@dataclass(frozen=True, slots=True)
class Showing:
    """All that decides about the light."""

    state: State
    card_fault: bool = False
    sound_lost: bool = False
    low: bool = False
    """Battery or storage runs out."""
    noting: bool = False
    """A spoken note is being recorded."""
    offloaded: bool = False
    """In the dock, and the dock has everything."""


LIGHTS: Sequence[tuple[Callable[[Showing], bool], Light]] = (
    (lambda one: one.state is State.STOPPING, Light.OFF),
    (lambda one: one.state is State.INTERRUPTED, Light.INTERRUPTED),
    (lambda one: one.state is State.PAUSED, Light.PAUSED),
    (lambda one: one.state is not State.RECORDING and one.noting, Light.SOUND_ONLY),
    (lambda one: one.state is State.RECORDING and one.low, Light.RECORDING_LOW),
    (lambda one: one.state is State.RECORDING, Light.RECORDING),
    (lambda one: one.state is State.FAULT or one.card_fault, Light.FAULT),
    (lambda one: one.state is State.DOCKED and one.offloaded, Light.OFFLOADED),
    (lambda one: one.state is State.DOCKED, Light.DOCKED),
    (lambda one: one.state is State.STARTING, Light.STARTING),
    (lambda one: one.sound_lost, Light.FAULT),
    (lambda one: one.low, Light.LOW),
    (lambda _: True, Light.STANDBY),
)


def light_for(showing: Showing) -> Light:
    """The light for this state of things."""
    return next(light for fits, light in LIGHTS if fits(showing))
