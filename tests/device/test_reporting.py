"""Which urgent reports have to lie at the broker, from what journal and spool say."""

from __future__ import annotations

from contextlib import closing

import pytest

from device.spool_reader import SpoolReader
from evidence.io.durable import PosixDisc
from evidence.receipts import EXPLANATION, REPORT_TAKEN
from tests.device.cards import fast_folder
from tests.device.hand_clock import HandClock
from tests.device.life import Life, living, open_spool, releaser, start
from tests.device.unit import unit

INTERRUPTION = "0" * 12 + "-i0001"
OWED: dict[tuple[str, ...], tuple[bool, bool]] = {
    (): (True, True),
    ("taken",): (True, False),
    ("reason",): (True, True),
    ("written",): (True, True),
    ("taken", "reason"): (False, False),
    ("taken", "written"): (False, False),
    ("reason", "written", "taken"): (False, False),
}
"""After these events: whether the report has to lie at the broker, and whether the dock's receipt is still awaited."""


@pytest.mark.parametrize("events", OWED)
def test_a_report_is_owed_until_it_is_received_and_the_interruption_closed(events: tuple[str, ...]) -> None:
    with fast_folder() as folder:
        clock = HandClock()
        spool = open_spool(folder / "spool", PosixDisc(), clock)
        with living(spool), closing(SpoolReader(spool.paths)) as reader:
            numbers, _ = start(spool, clock)
            life = Life(spool, numbers, clock)
            assert reader.reports.owed() == []
            recording, fields = life.begin(), life.break_fields(INTERRUPTION)
            began = {name: fields[name] for name in ("interruption", "cause", "began")}
            broken = spool.note("interruption", recording=recording, part=None, **began)
            reported = spool.note("reported", recording=recording, **fields)
            for event in events:
                match event:
                    case "reason":
                        spool.note("reason", interruption=INTERRUPTION, reason="battery", note=None)
                    case "taken" | "written":
                        kind, entry = {"taken": (REPORT_TAKEN, reported), "written": (EXPLANATION, broken)}[event]
                        word = unit().word(kind, entry, clock).encode()
                        assert reader.keep_receipt(word, unit().dock.signer.verify_key, spool.disc) == INTERRUPTION
                        releaser(spool).run()
            tokens = [report.token for report in reader.reports.owed()]
            assert (tokens == [reported.token], reader.reports.awaited()) == OWED[events]
