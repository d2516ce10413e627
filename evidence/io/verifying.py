"""What the checks of a vault and of a spool share: a journal read to its first defect, files read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from evidence.acts import Acts
from evidence.errors import BadInputError, DiscError, LiuhenError
from evidence.io.journal_store import HEAD_SUFFIX
from evidence.io.token_file import read_lines
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS, SEALED_BLOB, SEALED_SEGMENT
from evidence.model import SEGMENT_ID
from evidence.receipts import ANSWERS
from evidence.revocation import Revocations
from evidence.verify import Form, JournalCheck, Report, Verdict, report_blob, report_segment
from evidence.wire import BLOB_LIMIT_BYTES


class ReadJournal:
    """A journal that has been read to its end or to its first defect: what later checks need of it."""

    def __init__(
        self, tokens: Iterable[str], check: JournalCheck, report: Report, where: str, acts: Acts | None = None
    ) -> None:
        """`acts` judges what persons have signed for, where it is the dock's journal. Raises DiscError."""
        self.check = check
        self._acts = acts
        self.seals: dict[str, Entry] = {}
        self.by_segment: dict[str, list[Entry]] = {}
        self.blobs: dict[str, Entry] = {}
        self.words: list[Entry] = []
        self.answered: dict[tuple[str, str], Entry] = {}
        self.noted: set[tuple[str, str]] = set()
        self.released_blobs: set[str] = set()
        self.revocations = Revocations()
        self.whole = False
        try:
            for number, token in enumerate(tokens):
                self._take(self.check.take(token, f"{where} entry {number}"))
                report.entries += 1
            self.whole = True
            if self.check.identity is None:
                report.add(Verdict.NOT_SIGNED, where, "holds no entry")
        except DiscError:
            raise
        except LiuhenError as error:
            report.add_error(error)

    def kinds_of(self, segment: str) -> set[str]:
        """The kinds of everything said about a segment."""
        return {entry.kind for entry in self.by_segment.get(segment, [])}

    def _take(self, entry: Entry) -> None:
        segment = entry.fields.get("segment")
        if entry.kind in BLOB_KINDS:
            # Of two entries about the same bytes the first counts.
            self.blobs.setdefault(entry.fields["blob"], entry)
        elif entry.kind == "blob_released":
            self.released_blobs.add(entry.fields["blob"])
        self._take_answers(entry)
        self.revocations.take(entry)
        if self._acts is not None:
            self._acts.take(entry)
        if entry.kind in ANSWERS:
            self.words.append(entry)
        elif isinstance(segment, str) and SEGMENT_ID.fullmatch(segment):
            self.by_segment.setdefault(segment, []).append(entry)
        if entry.kind == "segment":
            self.seals[entry.fields["segment"]] = entry

    def _take_answers(self, entry: Entry) -> None:
        """What the dock may answer, by the kind of its answer and the name; and which answers were journalled."""
        for kind, rule in ANSWERS.items():
            if entry.kind in rule.kinds:
                self.answered.setdefault((kind, entry.fields[rule.name]), entry)
            elif entry.kind == rule.noted_as:
                self.noted.add((kind, entry.fields[rule.name]))


@contextmanager
def noting(report: Report, where: str = "") -> Iterator[None]:
    """Turn an error inside the block into a defect of the report: at the error's own place, or `where`."""
    try:
        yield
    except LiuhenError as error:
        report.add_error(error, where)


@contextmanager
def reading(path: Path) -> Iterator[Callable[[int, int], bytes]]:
    """Give a function that reads so many bytes from an offset."""
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        yield read


def judge_segment(report: Report, seal: Entry, path: Path, name: str | None = None) -> None:
    """Check a segment's file, sealed or opened, against its verified seal, and note what is found."""
    with reading(path) as read, noting(report):
        report_segment(report, seal, _form(path), path.stat().st_size, read, name or path.name)


def judge_blob(report: Report, entry: Entry, path: Path, name: str) -> None:
    """Check a photo or a note, sealed or opened, against its verified entry, and note what is found."""
    # One that has grown beyond every measure need not be read whole to be wrong.
    with path.open("rb") as file:
        report_blob(report, entry, _form(path), file.read(BLOB_LIMIT_BYTES + 1), name)


def _form(path: Path) -> Form:
    return Form.STORED if path.suffix in (SEALED_SEGMENT, SEALED_BLOB) else Form.OPENED


def note_strangers(report: Report, folder: Path, expected: set[str], prefix: str) -> None:
    """Note every file in a folder that is not expected there."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        empty_lock = path.name.startswith(".") and path.name.endswith(".lock") and path.lstat().st_size == 0
        if path.name.endswith(f"{HEAD_SUFFIX}.new") and path.name.removesuffix(".new") in expected:
            report.add(Verdict.GAPS, f"{prefix}{path.name}", "was being written when something broke off")
        elif path.name not in expected and not empty_lock:
            report.add(Verdict.NOT_SIGNED, f"{prefix}{path.name}", "is a file that no entry speaks of")


def folders_in(root: Path, *names: str) -> set[str]:
    """Those of the folders that are there: a file of such a name is as strange as any other."""
    return {name for name in names if (root / name).is_dir()}


def one_line(path: Path) -> str:
    """The token in a file of one line. Raises BadInputError."""
    lines = list(islice(read_lines(path), 2))
    if len(lines) != 1:
        raise BadInputError(str(path), "does not hold exactly one line")
    return lines[0]
