"""What light, buzzer and vibration do for each thing they say: a table, not code.

On = green, sound only = yellow, recording with picture = red, as the trade has it (GA/T 947.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device.ports import Buzz, Light


@dataclass(frozen=True, slots=True)
class LightPattern:
    """Red, green, blue, each 0 or 1; on for `on_ms`, dark for `off_ms`, again and again. Steady with `off_ms` 0."""

    colour: tuple[int, int, int]
    on_ms: int = 1000
    off_ms: int = 0


BLACK, RED, GREEN, YELLOW, BLUE, WHITE = (0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 1, 1)

LIGHTS: Mapping[Light, LightPattern] = {
    Light.OFF: LightPattern(BLACK),
    Light.STARTING: LightPattern(GREEN, 200, 200),
    Light.STANDBY: LightPattern(GREEN),
    Light.RECORDING: LightPattern(RED),
    Light.RECORDING_LOW: LightPattern(RED, 900, 300),
    Light.SOUND_ONLY: LightPattern(YELLOW),
    Light.PAUSED: LightPattern(BLUE, 500, 1500),
    Light.INTERRUPTED: LightPattern(RED, 150, 150),
    Light.DOCKED: LightPattern(BLUE),
    Light.OFFLOADED: LightPattern(GREEN, 1900, 100),
    Light.LOW: LightPattern(YELLOW, 200, 800),
    Light.FAULT: LightPattern(WHITE, 100, 100),
}

BUZZES: Mapping[Buzz, tuple[tuple[int, int], ...]] = {
    Buzz.STARTED: ((300, 0),),
    Buzz.STOPPED: ((150, 150), (150, 0)),
    Buzz.DONE: ((80, 0),),
    Buzz.REFUSED: ((40, 60), (40, 60), (40, 0)),
    Buzz.ASK: ((200, 200), (400, 0)),
    Buzz.LOW: ((200, 200), (200, 200), (200, 0)),
    Buzz.FAULT: ((800, 200), (800, 0)),
}
"""On and off times in milliseconds, one after the other."""
