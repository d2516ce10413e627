"""What lies beside the segments in a vault: photos and notes with their entries, and urgent reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evidence.certificates import Trust
from evidence.errors import LiuhenError
from evidence.io.verifying import ReadJournal, judge_blob, note_strangers, noting, one_line
from evidence.journal import Entry, read_entry
from evidence.kinds import BLOB_KINDS, BLOB_SUFFIXES, SEALED_BLOB
from evidence.receipts import REPORT_TAKEN
from evidence.revocation import Revocations
from evidence.verify import Report, Verdict, identify_signer, read_signed

BESIDE = ("blobs", "reports")


class VaultBesideCheck:
    """`vault/DEVICE/blobs/` and `vault/DEVICE/reports/`, against the recorder's verified journal."""

    def __init__(
        self, folder: Path, journal: ReadJournal, reported: Iterable[str], revocations: Revocations, trust: Trust,
        report: Report,
    ) -> None:  # fmt: skip
        """`reported` are the interruptions for whose report the dock has given its receipt."""
        self._revocations = revocations
        self._folder = folder
        self._reported = tuple(reported)
        self._journal = journal
        self._trust = trust
        self._report = report

    def verify(self) -> None:
        """Every photo and note that the journal speaks of, and every report that is here."""
        expected: set[str] = set()
        for blob, entry in self._journal.blobs.items():
            name = f"{blob}{SEALED_BLOB}"
            expected |= {name, f"{blob}.jws"}
            self._verify_blob(entry, self._folder / "blobs" / name)
        if self._journal.whole:
            note_strangers(self._report, self._folder / "blobs", expected, f"{self._folder.name}/blobs/")
        reports = self._folder / "reports"
        for interruption in self._reported:
            if not (reports / f"{interruption}.jws").is_file():
                name = f"{self._folder.name}/reports/{interruption}.jws"
                self._report.add(Verdict.GAPS, name, "the dock gave its receipt and it is not here")
        for path in sorted(reports.iterdir()) if reports.is_dir() else []:
            name = f"{self._folder.name}/reports/{path.name}"
            with noting(self._report, name):
                self._verify_report(path, name)

    def _verify_blob(self, entry: Entry, path: Path) -> None:
        prefix, beside = f"{self._folder.name}/blobs/", path.with_suffix(".jws")
        if not path.is_file():
            self._report.add(Verdict.GAPS, f"{prefix}{path.name}", "was journalled by the recorder and is not here")
            return
        judge_blob(self._report, entry, path, f"{prefix}{path.name}")
        if not beside.is_file():
            self._report.add(Verdict.GAPS, f"{prefix}{beside.name}", "is missing")
        elif beside.read_bytes() != f"{entry.token}\n".encode("ascii"):
            what = "is not the entry that stands in the journal"
            self._report.add(Verdict.NOT_AUTHENTIC, f"{prefix}{beside.name}", what)

    def _verify_report(self, path: Path, name: str) -> None:
        """A report may have come in before the journal that it stands in; it carries its certificate."""
        token = one_line(path)
        known = self._journal.answered.get((REPORT_TAKEN, path.stem))
        if known is not None:
            if known.token != token or path.suffix != ".jws":
                self._report.add(Verdict.NOT_AUTHENTIC, name, "is not the report that stands in the journal")
            return
        entry = read_signed(read_entry, token, name, self._trust, None)
        identify_signer(entry, self._trust)
        self._revocations.check_alone(entry)
        about = (entry.kind, entry.device, f"{entry.fields.get('interruption')}.jws")
        if about != ("reported", self._folder.name, path.name):
            self._report.add(Verdict.NOT_SIGNED, name, "is no report of this recorder on this interruption")
        elif self._journal.whole and entry.seq <= self._journal.check.head.seq:
            self._report.add(Verdict.NOT_AUTHENTIC, name, f"the journal has another entry {entry.seq}")
        else:
            self._report.add(Verdict.GAPS, name, "the journal up to it has not come in")


def verify_blob_file(path: Path, entry: Entry, report: Report) -> None:
    """A photo or a note on its own, against the verified entry beside it."""
    if entry.kind in BLOB_KINDS and path.suffix in (SEALED_BLOB, BLOB_SUFFIXES[entry.kind]):
        report.entries = 1
        judge_blob(report, entry, path, path.name)
    else:
        report.add(Verdict.NOT_SIGNED, str(path), f"has an entry of kind {entry.kind} beside it")


def read_beside(path: Path, trust: Trust, report: Report, revocations: Revocations | None) -> Entry | None:
    """The entry in a file of one line, its signature checked; None when that has given a defect."""
    try:
        entry = read_signed(read_entry, one_line(path), str(path), trust, None)
        identify_signer(entry, trust)
        if revocations is not None:
            revocations.check_alone(entry)
    except LiuhenError as error:
        report.add_error(error, str(path))
        return None
    return entry
