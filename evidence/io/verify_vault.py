"""Whether a vault, the dock's store of evidence, is what the recorders and the dock have signed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evidence.acts import Acts
from evidence.certificates import Identity, Trust
from evidence.errors import BadInputError, ChainError, LiuhenError, UnknownKeyError
from evidence.io.journal_store import HEAD_SUFFIX, head_path
from evidence.io.token_file import read_lines
from evidence.io.verify_beside import BESIDE, VaultBesideCheck
from evidence.io.verifying import ReadJournal, folders_in, judge_segment, note_strangers, noting, one_line
from evidence.journal import Entry, StatedHead, read_head
from evidence.kinds import SEALED_SEGMENT
from evidence.receipts import ANSWERS, DOCK, EXPLANATION, REPORT_TAKEN, check_word
from evidence.verify import JournalCheck, Report, Verdict, read_signed

JOURNAL_TEXT = "journal.jws"
BEFORE_THE_JOURNAL = (REPORT_TAKEN, EXPLANATION)
"""What the dock may say before the recorder comes home with its journal: a report travels ahead of it."""


class VaultCheck:
    """`vault/DEVICE/` with journal, segments, seals, blobs, reports; `vault/dock/` with the dock's own journal."""

    def __init__(self, root: Path, trust: Trust, report: Report) -> None:
        self._root = root
        self._trust = trust
        self._report = report
        path = root / DOCK / JOURNAL_TEXT
        if not path.is_file():
            raise BadInputError(str(root), "lacks the dock's own journal", f"expected at {path}")
        self._acts = Acts(trust)
        self._dock = read_kept_journal(path, DOCK, None, trust, report, self._acts)
        for entry, what in self._acts.unsigned:
            report.add(Verdict.GAPS, f"{DOCK}/{JOURNAL_TEXT} entry {entry.seq}", what)
        self._strangers(path.parent, {path.name, head_path(path).name})

    def verify_all(self) -> None:
        """Every recorder's folder, and those that the dock speaks of and are not here."""
        folders = sorted(one for one in self._root.iterdir() if one.name != DOCK)
        self.verify(folders)
        known = {str(word.fields["recorder"]) for word in self._dock.words}
        for device in sorted(known - {folder.name for folder in folders}):
            self._report.add(Verdict.GAPS, f"{device}/", "is missing: the dock gave receipts for what it stored there")

    def verify(self, folders: Iterable[Path]) -> None:
        """These recorders' folders."""
        for folder in folders:
            path = folder / JOURNAL_TEXT
            if not folder.is_dir():
                self._report.add(Verdict.NOT_SIGNED, folder.name, "is a file that no entry speaks of")
            elif not path.is_file():
                self._report.add(Verdict.NOT_SIGNED, f"{folder.name}/{JOURNAL_TEXT}", "is missing: nothing here counts")
            else:
                journal = read_kept_journal(path, folder.name, self._dock, self._trust, self._report)
                self._verify_device(folder, journal)

    def _verify_device(self, folder: Path, journal: ReadJournal) -> None:
        expected = {JOURNAL_TEXT, f"{JOURNAL_TEXT}{HEAD_SUFFIX}"}
        for segment, seal in journal.seals.items():
            expected |= {f"{segment}{SEALED_SEGMENT}", f"{segment}.jws"}
            self._verify_stored(folder, segment, seal)
        words = (word for word in self._dock.words if word.fields["recorder"] == folder.name)
        reported = (str(word.fields["interruption"]) for word in words if word.kind == REPORT_TAKEN)
        beside = VaultBesideCheck(folder, journal, reported, self._dock.revocations, self._trust, self._report)
        beside.verify()
        self._check_words(folder, journal)
        self._check_blocks(folder.name)
        if journal.whole:
            self._strangers(folder, expected | folders_in(folder, *BESIDE))

    def _verify_stored(self, folder: Path, segment: str, seal: Entry) -> None:
        path, beside = folder / f"{segment}{SEALED_SEGMENT}", folder / f"{segment}.jws"
        name = f"{folder.name}/{segment}"
        if not path.is_file():
            self._report.add(Verdict.GAPS, f"{name}{SEALED_SEGMENT}", "was sealed by the recorder and is not here")
            return
        judge_segment(self._report, seal, path, f"{name}{SEALED_SEGMENT}")
        if not beside.is_file():
            self._report.add(Verdict.GAPS, f"{name}.jws", "is missing")
        elif beside.read_bytes() != f"{seal.token}\n".encode("ascii"):
            self._report.add(Verdict.NOT_AUTHENTIC, f"{name}.jws", "is not the seal that stands in the journal")

    def _check_words(self, folder: Path, journal: ReadJournal) -> None:
        """What the dock said about this recorder's evidence, against what the recorder journalled."""
        for word in (one for one in self._dock.words if one.fields["recorder"] == folder.name):
            name = str(word.fields[ANSWERS[word.kind].name])
            entry = journal.answered.get((word.kind, name))
            if entry is not None:
                with noting(self._report):
                    check_word(word, word.kind, entry)
            elif journal.whole:
                where = f"{folder.name}/{name}"
                if word.kind in BEFORE_THE_JOURNAL:
                    self._report.add(Verdict.GAPS, where, "the dock was told of it; the journal has not come in yet")
                else:
                    what = "the dock gave a receipt for it, but its entry is not in the journal"
                    self._report.add(Verdict.NOT_AUTHENTIC, where, what)

    def _check_blocks(self, device: str) -> None:
        """What the dock found out about the recorder's key, unless two persons have looked into it."""
        for block in (one for one in self._acts.blocks.values() if one.fields["recorder"] == device):
            where = f"{device} entry {block.fields['entry_seq']}"
            what = f"the dock has blocked the recorder ({block.fields['why']}): its key has signed another one"
            self._report.add(Verdict.NOT_AUTHENTIC, where, what)

    def _strangers(self, folder: Path, expected: set[str]) -> None:
        note_strangers(self._report, folder, expected, f"{folder.name}/")


def read_kept_journal(
    path: Path, owner: str, dock: ReadJournal | None, trust: Trust, report: Report, acts: Acts | None = None
) -> ReadJournal:
    """A journal that a dock keeps, and the statement of its end: the dock states that of every one, its own too.

    `dock` is None for the dock's own, and `acts` judges what persons have signed for in it. What is wrong with it is in
    the report. Raises DiscError.
    """
    beside = head_path(path)
    where, token = f"{owner}/{beside.name}", None
    if beside.is_file():
        with noting(report):
            token = one_line(beside)
    else:
        report.add(Verdict.GAPS, where, "is missing: nobody can say whether the journal's end is here")
    claimed = None if token is None else _claimed_head(token)
    check = JournalCheck(trust, owner, claimed, None if dock is None else dock.revocations)
    journal = ReadJournal(read_lines(path), check, report, f"{owner}/{path.name}", acts)
    if token is not None:
        with noting(report):
            _check_head(token, where, owner, (dock or journal).check.identity, trust)
    if journal.whole:
        with noting(report):
            check.check_end()
    return journal


def _check_head(token: str, where: str, owner: str, dock: Identity | None, trust: Trust) -> None:
    if dock is None:
        raise UnknownKeyError(where, "cannot be checked without the dock's certificate")
    stated = read_signed(read_head, token, where, trust, dock)
    stated.verify(dock.key)
    if stated.journal != owner:
        raise ChainError(where, f"speaks of the journal of {stated.journal}")


def _claimed_head(token: str) -> StatedHead | None:
    """A head whose signature has not been checked yet."""
    try:
        return read_head(token)
    except LiuhenError:
        return None
