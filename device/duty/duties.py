"""Everything that a recorder does for and with its officer, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from device.capture.muxer import MediaFragment
from device.duty.asking import Asking
from device.duty.deadline import Deadline
from device.duty.notes import Notes
from device.duty.opening import Opening
from device.duty.pausing import Pausing
from device.duty.readings import Readings
from device.duty.reporting import Reporting
from device.duty.signing_on import SigningOn
from device.duty.stills import Stills
from device.duty.tools import Tools
from device.intake import Intake
from device.ports import Hardware
from device.watch.check import Check
from evidence.model import Officer


class Crew(Protocol):
    """Who wears the recorder."""

    @property
    def officer(self) -> Officer | None:
        """Nobody when the dock has assigned nobody."""

    def assign(self) -> Officer | None:
        """Take the dock's latest word into recorder and overlay, and tell it."""


@dataclass(frozen=True, slots=True)
class Duties:
    """One of each."""

    asking: Asking
    opening: Opening
    pausing: Pausing
    reporting: Reporting
    readings: Readings
    deadline: Deadline
    signing_on: SigningOn
    stills: Stills

    async def tick(self) -> None:
        """Let time pass for all of them."""
        for duty in (self.signing_on, self.asking, self.opening, self.pausing, self.reporting, self.stills):
            await duty.tick()


def make_duties(
    tools: Tools,
    hardware: Hardware,
    intake: Intake,
    crew: Crew,
    readings: Readings,
    check: Callable[[int], Check],
    software: str,
    on_report: Callable[[], None],
) -> Duties:
    """`check` judges everything before use, given the number of open interruptions.

    `on_report` is called when an urgent report waits to be sent.
    """
    asking = Asking(tools, Notes(tools))
    stills = Stills(tools, hardware.locator, lambda: crew.officer, software)

    def kept(fragment: MediaFragment, segment: str, index: int) -> None:
        readings.wrote(fragment)
        stills.kept(fragment, segment, index)

    tools.recorder.on_kept = kept
    return Duties(
        asking=asking,
        opening=Opening(tools),
        pausing=Pausing(tools, intake, asking),
        reporting=Reporting(tools, lambda: crew.officer, on_report),
        readings=readings,
        deadline=Deadline(tools),
        signing_on=SigningOn(tools, crew.assign, asking.waiting, check),
        stills=stills,
    )
