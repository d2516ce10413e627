"""Whether a recorder's spool, its card, holds what the recorder has signed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from evidence.certificates import Role, Trust
from evidence.errors import LiuhenError, UnknownKeyError
from evidence.io.journal_store import HEAD_SUFFIX, Access, JournalStore, file_hash, head_path
from evidence.io.verifying import (
    ReadJournal,
    folders_in,
    judge_blob,
    judge_segment,
    note_strangers,
    noting,
    one_line,
    reading,
)
from evidence.journal import Entry, StatedHead, read_entry, read_head
from evidence.kinds import PART_KINDS, SEALED_BLOB, SEALED_SEGMENT
from evidence.receipts import check_word, read_word, word_file
from evidence.revocation import Revocations
from evidence.verify import (
    JournalCheck,
    Report,
    Verdict,
    identify_signer,
    match_parts,
    missing_parts,
    read_signed,
)

JOURNAL_DB = "journal.db"


class SpoolCheck:
    """A recorder's card: the journal's database, segments, photos and notes, and the dock's word that has come in."""

    def __init__(self, root: Path, trust: Trust, report: Report, revocations: Revocations | None = None) -> None:
        """`revocations` are those that the dock's journal knows, where that is at hand."""
        self._revocations = revocations
        self._root = root
        self._trust = trust
        self._report = report
        self._path = root / JOURNAL_DB

    def verify(self) -> None:
        """The journal, every segment and blob it speaks of, and the dock's word."""
        journal = self._read_journal(self._check_closed())
        if journal is None:
            return
        for segment in journal.by_segment:
            self._verify_segment(journal, segment)
        for entry in journal.blobs.values():
            self._verify_blob(journal, entry)
        self._verify_words(journal)
        if journal.whole:
            self._note_strangers(journal)

    def _note_strangers(self, journal: ReadJournal) -> None:
        databases = {JOURNAL_DB, f"{JOURNAL_DB}-wal", f"{JOURNAL_DB}-shm", f"{JOURNAL_DB}{HEAD_SUFFIX}"}
        folders = folders_in(self._root, "segments", "blobs", "receipts")
        note_strangers(self._report, self._root, databases | folders, "")
        files = {f"{segment}{SEALED_SEGMENT}" for segment in journal.by_segment}
        note_strangers(self._report, self._root / "segments", files, "segments/")
        blobs = {f"{blob}{SEALED_BLOB}" for blob in journal.blobs}
        note_strangers(self._report, self._root / "blobs", blobs, "blobs/")

    def _read_journal(self, stated: StatedHead | None) -> ReadJournal | None:
        check = JournalCheck(self._trust, None, stated, self._revocations)
        try:
            with closing(JournalStore(self._path, access_for(self._path))) as store:
                journal = ReadJournal(store.tokens(), check, self._report, JOURNAL_DB)
        except LiuhenError as error:
            # What is known to be damaged need not be readable as well.
            if self._report.verdict is not Verdict.NOT_AUTHENTIC:
                raise
            self._report.add_error(error)
            return None
        if journal.whole:
            with noting(self._report):
                check.check_end()
        return journal

    def _check_closed(self) -> StatedHead | None:
        """A recorder that closed its journal stated its end and its file's hash."""
        path = head_path(self._path)
        if not path.is_file():
            what = "is missing: the journal is open, or nobody can say whether its end is here"
            self._report.add(Verdict.GAPS, path.name, what)
            return None
        try:
            stated = read_signed(read_head, one_line(path), path.name, self._trust, None)
            if not stated.x5c:
                raise UnknownKeyError(path.name, "does not carry a certificate")
            identity = self._trust.identify_der(stated.x5c)
            if identity.role is not Role.RECORDER or identity.name != stated.journal:
                raise UnknownKeyError(path.name, f"is signed by the {identity.role} {identity.name}")
            stated.verify(identity.key)
        except LiuhenError as error:
            self._report.add_error(error, path.name)
            return None
        if stated.file_sha256 != file_hash(self._path):
            self._report.add(Verdict.NOT_AUTHENTIC, JOURNAL_DB, "is not the file that was closed: a byte has changed")
        return stated

    def _verify_segment(self, journal: ReadJournal, segment: str) -> None:
        path, name = self._root / "segments" / f"{segment}{SEALED_SEGMENT}", f"segments/{segment}{SEALED_SEGMENT}"
        kinds = journal.kinds_of(segment)
        if not path.is_file():
            if "released" not in kinds and "init" in kinds:
                self._report.add(Verdict.GAPS, name, "is not here and was never released")
        elif segment in journal.seals:
            judge_segment(self._report, journal.seals[segment], path, name)
        else:
            self._verify_unsealed([one for one in journal.by_segment[segment] if one.kind in PART_KINDS], path, name)

    def _verify_unsealed(self, entries: list[Entry], path: Path, name: str) -> None:
        """A segment that was being written: every journalled part must be there, and at its end may be more."""
        parts = [(one.fields["stored_bytes"], one.fields["stored_sha256"]) for one in entries]
        size_bytes = path.stat().st_size
        self._report.checked_bytes += size_bytes
        with reading(path) as read:
            match = match_parts(parts, size_bytes, read)
        rest = size_bytes - match.end_bytes
        if match.missing and rest:
            what = f"part {match.next_part} is not what was signed"
            self._report.add(Verdict.NOT_AUTHENTIC, f"{name} byte {match.end_bytes}", what)
        elif match.missing:
            self._report.add(Verdict.GAPS, name, f"is not sealed; {missing_parts(match.missing, len(parts))}")
        else:
            self._report.add(Verdict.GAPS, name, f"is not sealed; {rest} bytes at its end are not journalled")

    def _verify_blob(self, journal: ReadJournal, entry: Entry) -> None:
        blob = entry.fields["blob"]
        name = f"blobs/{blob}{SEALED_BLOB}"
        path = self._root / name
        if path.is_file():
            judge_blob(self._report, entry, path, name)
        elif blob not in journal.released_blobs:
            self._report.add(Verdict.GAPS, name, "is not here and was never released")

    def _verify_words(self, journal: ReadJournal) -> None:
        """The dock's word, as far as it has come in: receipts, and what was written about interruptions."""
        folder = self._root / "receipts"
        for kind, name in sorted(journal.noted):
            if not (folder / word_file(kind, name)).is_file():
                self._report.add(Verdict.GAPS, f"receipts/{word_file(kind, name)}", "was journalled and is not here")
        answered = {word_file(kind, name): (kind, entry) for (kind, name), entry in journal.answered.items()}
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            with noting(self._report, f"receipts/{path.name}"):
                if path.name in answered:
                    self._verify_word(path, *answered[path.name])
                elif journal.whole:
                    self._report.add(Verdict.NOT_SIGNED, f"receipts/{path.name}", "answers nothing in the journal")

    def _verify_word(self, path: Path, kind: str, entry: Entry) -> None:
        token = one_line(path)
        said = read_signed(read_entry, token, f"receipts/{path.name}", self._trust, None)
        check_word(read_word(token, identify_signer(said, self._trust).key), kind, entry)


def access_for(journal: Path) -> Access:
    """How to look at a journal: one that was closed needs, and gets, nothing written beside it."""
    log = journal.with_name(f"{journal.name}-wal")
    return Access.READ if log.is_file() and log.stat().st_size else Access.FROZEN
