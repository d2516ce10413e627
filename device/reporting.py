"""Urgent reports: an interruption that could not be ended in time goes to the head of the unit at once (pingluo 8).

A report lies retained at the broker, so that a head who looks in later still finds it, until the dock has taken it and
the interruption has its reason or its written explanation. What lies there the broker itself tells: the recorder hears
its own retained reports, and takes back those that are over. So nothing has to be remembered about them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from device.spool import SpoolPaths
from evidence.errors import LinkError
from evidence.io.journal_store import JournalStore
from evidence.io.mqtt import Incoming
from evidence.io.road import Road
from evidence.receipts import REPORT_TAKEN
from evidence.wire import Topic, Up

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """One urgent report, its entry's token; `received` when the dock's receipt for it lies in the spool."""

    interruption: str
    token: str
    received: bool


class ReportsReader:
    """The uplink's view of the reports in the journal, on its thread."""

    def __init__(self, paths: SpoolPaths, journal: JournalStore) -> None:
        self._paths = paths
        self._journal = journal

    def owed(self) -> list[Report]:
        """Reports that have to lie at the broker, oldest first. Raises DiscError."""
        closed = {entry.fields["interruption"] for entry in self._journal.of_kind("reason", "written")}
        reports = []
        for entry in self._journal.of_kind("reported"):
            interruption = entry.fields["interruption"]
            received = self._paths.word(REPORT_TAKEN, interruption).exists()
            if not received or interruption not in closed:
                reports.append(Report(interruption, entry.token, received))
        return reports

    def awaited(self) -> bool:
        """Whether the dock has not taken every report yet. Raises DiscError."""
        return any(not report.received for report in self.owed())


class Reports:
    """Puts them on the link: over each connection all that are owed, and again those that the dock does not answer."""

    def __init__(self, device: str, link: Road, reader: ReportsReader) -> None:
        self._device = device
        self._link = link
        self._reader = reader
        self._lying: set[str] = set()
        """What lies at the broker: published over this connection, or heard from there."""

    def begin(self) -> None:
        """The connection is new: what the broker holds is not known. Raises DiscError."""
        self._lying.clear()
        self.publish()

    def publish(self, again: bool = False) -> None:
        """Publish what is owed and take back what is over. Raises DiscError.

        `again`: nothing has moved for a while, so what the dock has not taken goes once more.
        """
        owed = self._reader.owed()
        for report in owed:
            if report.interruption not in self._lying or (again and not report.received):
                self._put(report.interruption, report.token)
        for interruption in self._lying - {report.interruption for report in owed}:
            self._put(interruption, "")

    def hear(self, heard: Incoming) -> None:
        """One of our reports lies at the broker, perhaps since long ago. Raises DiscError."""
        if heard.payload:
            self._lying.add(heard.topic.rpartition("/")[2])
            self.publish()

    def _put(self, interruption: str, token: str) -> None:
        try:
            self._link.publish(report_topic(self._device, interruption), token.encode("ascii"), retain=True)
        except LinkError as error:
            # The link is down or full: the next tick tries again.
            log.info("%s", error)
            return
        if token:
            self._lying.add(interruption)
        else:
            self._lying.discard(interruption)


def report_topic(device: str, interruption: str) -> str:
    """Where the report of one interruption lies."""
    return Topic(device, Up.REPORT, (interruption,)).text()
