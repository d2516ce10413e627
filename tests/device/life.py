"""A recorder's whole life at its card, without tasks, and what must be true of the card whenever that life is cut."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from device.capture.muxer import MediaFragment
from device.config import CameraConfig, StorageConfig
from device.numbers import Numbers
from device.ports import Clock
from device.recovery import Recovered, recover
from device.release import Releaser
from device.spool import SegmentState, Spool, SpoolPaths
from device.spool_reader import SpoolReader
from evidence.account import Account, Use, accounts
from evidence.errors import DiscError
from evidence.io.durable import Disc, PosixDisc
from evidence.io.journal_store import Access, JournalStore
from evidence.io.verify_files import verify_path
from evidence.journal import EMPTY, Entry, Head, read_entry
from evidence.kinds import BLOB_KINDS
from evidence.receipts import BLOB_STORED, EXPLANATION, REPORT_TAKEN
from evidence.signing import Signer
from evidence.verify import Verdict
from tests.device.footage import EPOCH_US, Cut, footage
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.unit import DEVICE, OFFICER, unit

ALL_THAT_MAY_GO = StorageConfig(wanted_free_minutes=100_000)


def open_spool(root: Path, disc: Disc, clock: Clock, signer: Signer | None = None) -> Spool:
    party = unit().recorder
    return Spool(root, DEVICE, disc, clock, signer or party.signer, [party.certificate], unit().vault.public)


@contextmanager
def living(spool: Spool) -> Iterator[None]:
    """Whatever happens inside, the journal's file is let go of afterwards."""
    try:
        yield
    finally:
        # One that is closed already, or that a card refuses to close, is let go of as well.
        with suppress(DiscError):
            spool.journal.close()


def start(spool: Spool, clock: Clock) -> tuple[Numbers, Recovered]:
    """What the agent does before anything else."""
    numbers = Numbers(spool.journal, clock.now().boot)
    return numbers, recover(spool, numbers, clock.now().boot, "test")


def releaser(spool: Spool, storage: StorageConfig = ALL_THAT_MAY_GO) -> Releaser:
    return Releaser(spool, unit().dock.signer.verify_key, CameraConfig(), storage)


def restart(root: Path, clock: HandClock, disc: Disc | None = None) -> Recovered:
    """Start, look after receipts as the agent does, and state where the journal ends."""
    spool = open_spool(root, disc or PosixDisc(), clock)
    with living(spool):
        _, recovered = start(spool, clock)
        releaser(spool).run()
        spool.close()
    return recovered


class Life:
    """One boot, from sign on to power off: every step is acknowledged by a `yield`."""

    def __init__(self, spool: Spool, numbers: Numbers, clock: HandClock, cut: Cut | None = None) -> None:
        self._spool = spool
        self._numbers = numbers
        self._clock = clock
        self._cut = cut or footage(8)
        self.written: SegmentState | None = None

    def steps(self) -> Iterator[None]:
        self._clock.advance_to(EPOCH_US + 500_000)
        self._spool.note("sign_on", **OFFICER.to_fields())
        yield
        yield from self.first_recording()
        yield from self.dock()
        yield from self.second_recording()
        self._spool.note("power_off", trigger="shutdown")
        yield

    def first_recording(self) -> Iterator[None]:
        """Two segments and a bookmark."""
        recording = self.begin()
        yield
        yield from self.segment(recording, self._cut.fragments[:3], "length")
        self._spool.note("bookmark", recording=recording)
        yield
        self.still(recording)
        yield
        yield from self.segment(recording, self._cut.fragments[3:5], "button")
        self.end(recording)
        yield

    def second_recording(self) -> Iterator[None]:
        """With a break in it, which the officer explains."""
        recording, broken = self.begin(), self._numbers.next_interruption()
        yield
        yield from self.segment(recording, self._cut.fragments[5:6], "device_fault")
        began = self._clock.now().to_fields()
        fields = {"interruption": broken, "recording": recording, "cause": "device_fault", "part": "card"}
        self._spool.note("interruption", **fields, began=began)
        yield
        self._clock.advance(1)
        self._spool.note("resumed", interruption=broken, recording=recording)
        yield
        yield from self.segment(recording, self._cut.fragments[7:8], "button")
        self._spool.note("reported", recording=recording, **self.break_fields(broken))
        yield
        self.note(broken)
        yield
        self._spool.note("reason", interruption=broken, reason="device_fault", note=None)
        yield
        yield from self.hear(REPORT_TAKEN, "reported")
        yield from self.hear(EXPLANATION, "interruption")
        self.end(recording)
        yield

    def dock(self) -> Iterator[None]:
        """The dock gives receipts for everything sealed, and everything is freed."""
        self._spool.note("docked")
        yield
        with closing(SpoolReader(self._spool.paths)) as reader:
            for offered in reader.waiting():
                seal = reader.seal(offered.segment)
                assert seal is not None
                receipt = unit().receipt(seal, self._clock).encode()
                reader.keep_receipt(receipt, unit().dock.signer.verify_key, self._spool.disc)
                yield
        yield from self.hear(BLOB_STORED, *BLOB_KINDS)
        releaser(self._spool).run()
        yield
        self._spool.note("undocked")
        yield

    def hear(self, kind: str, *answered: str) -> Iterator[None]:
        """The dock's word on every entry of these kinds comes in, and is journalled."""
        with closing(SpoolReader(self._spool.paths)) as reader:
            for entry in list(self._spool.journal.of_kind(*answered)):
                word = unit().word(kind, entry, self._clock).encode()
                reader.keep_receipt(word, unit().dock.signer.verify_key, self._spool.disc)
                yield
        releaser(self._spool, StorageConfig(wanted_free_minutes=0)).run()
        yield

    def still(self, recording: str | None = None) -> Entry:
        captured = {"captured_boot_us": self._clock.boot_us, "width": 1280, "height": 720}
        where = {"recording": recording, "segment": None, "index": None}
        return self._spool.keep_blob("still", lambda seq: b"photo %d" % seq, self._clock.now(), **captured, **where)

    def note(self, interruption: str | None = None) -> Entry:
        spoken = {"from_boot_us": self._clock.boot_us, "to_boot_us": self._clock.boot_us, "speech_ms": 900}
        about = {"recording": None, "interruption": interruption}
        return self._spool.keep_blob("voice_note", lambda seq: b"note %d" % seq, self._clock.now(), **spoken, **about)

    def break_fields(self, broken: str) -> dict[str, Any]:
        """Of the report of an interruption."""
        officer = {"officer": OFFICER.number, "name": OFFICER.name, "unit": OFFICER.unit}
        began = self._clock.now().to_fields()
        return {"interruption": broken, "cause": "device_fault", "began": began, **officer}

    def begin(self) -> str:
        recording = self._numbers.next_recording()
        self._spool.note("recording_started", recording=recording, trigger="button", officer=OFFICER.number)
        return recording

    def end(self, recording: str) -> None:
        ended_us = self._clock.boot_us
        self._spool.note("recording_stopped", recording=recording, trigger="button", ended_boot_us=ended_us)

    def segment(self, recording: str, fragments: Iterable[MediaFragment], trigger: str) -> Generator[None]:
        epoch = self._clock.at(EPOCH_US)
        name = self._numbers.next_segment()
        state = self.written = self._spool.open_segment(name, recording, OFFICER, self._cut.init, epoch)
        yield
        for fragment in fragments:
            self._clock.advance_to(fragment.first_frame_boot_us + fragment.info.duration_us)
            self._spool.append(state, fragment)
            yield
        self._spool.seal(state, trigger)
        yield


def entries_of(root: Path) -> list[Entry]:
    with closing(JournalStore(SpoolPaths(root).journal, Access.READ)) as journal:
        return [read_entry(token) for token in journal.tokens()]


def check_card(root: Path, said: Head = EMPTY) -> list[Entry]:
    """Whatever was acknowledged is there, everything is what was signed, and the accounts add up."""
    entries = entries_of(root)
    assert said.seq < 0 or entries[said.seq].head == said
    assert "damaged" not in {entry.kind for entry in entries}
    report = verify_path(root, unit().trust)
    assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])
    for account in accounts(entries):
        check_sum(account)
    return entries


def check_sum(account: Account) -> None:
    assert sum(account.total_us(use) for use in Use) == account.end_us - account.start_us
    assert all(before.end_us == after.start_us for before, after in pairwise(account.spans))


def check_after_cut(root: Path, clock: HandClock, said: Head = EMPTY) -> list[Entry]:
    """The power came back."""
    restart(root, after_reboot(clock))
    return check_card(root, said)
