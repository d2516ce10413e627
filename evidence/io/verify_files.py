"""What lies on a disc, brought before the rules of `evidence.verify`: a segment, a vault, a recorder's spool.

Nothing is written, not even a time stamp; files are read piece by piece, so memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from evidence.certificates import Role, Trust
from evidence.errors import BadInputError, ChainError, LiuhenError, UnknownKeyError
from evidence.io.journal_store import HEAD_SUFFIX, Access, JournalStore, file_hash, head_path
from evidence.io.token_file import read_lines
from evidence.journal import Entry, StatedHead, read_entry, read_head
from evidence.receipts import DOCK, STORED, check_receipt, read_receipt
from evidence.signing import VerifyKey, to_base64url
from evidence.verify import JournalCheck, Report, Verdict, identify_signer, report_segment

JOURNAL_DB, JOURNAL_TEXT = "journal.db", "journal.jws"
PARTS = ("init", "fragment", "recovered")


def verify_path(path: Path, trust: Trust) -> Report:
    """Judge whatever lies at `path`. Raises BadInputError when it is none of the things that can be judged."""
    report = Report()
    if path.is_file() and path.suffix == ".mp4":
        _verify_segment_file(path, trust, report)
    elif (path / JOURNAL_DB).is_file():
        _Spool(path, trust, report).verify()
    elif (path / JOURNAL_TEXT).is_file():
        _Vault(path.parent, trust, report).verify([path])
    elif any(path.glob(f"*/{JOURNAL_TEXT}")):
        _Vault(path, trust, report).verify(sorted(one for one in path.iterdir() if one.name != DOCK))
    else:
        raise BadInputError(
            str(path), "is no segment, vault or spool", "give an .mp4 with its .jws, a vault, or a spool"
        )
    return report


def _verify_segment_file(path: Path, trust: Trust, report: Report) -> None:
    """A segment on its own, with the one line that seals it beside it; or inside a vault or a spool."""
    beside = path.with_suffix(".jws")
    if not beside.is_file():
        raise BadInputError(str(path), "has no entry beside it", f"put its seal into {beside.name}")
    try:
        seal = read_entry(_one_line(beside), str(beside))
        identify_signer(seal, trust)
    except LiuhenError as error:
        report.add_error(error, str(beside))
        return
    if seal.kind != "segment":
        report.add(Verdict.NOT_SIGNED, str(beside), f"is an entry of kind {seal.kind}, not a seal")
        return
    report.entries = 1
    _judge_segment(report, seal, path)


class _Journal:
    """A journal that has been read to its end or to its first defect: what later checks need of it."""

    def __init__(self, tokens: Iterable[str], trust: Trust, report: Report, where: str) -> None:
        self.check = JournalCheck(trust)
        self.seals: dict[str, Entry] = {}
        self.by_segment: dict[str, list[Entry]] = {}
        self.receipts: list[Entry] = []
        self.whole = False
        try:
            for number, token in enumerate(tokens):
                self._take(self.check.take(token, f"{where} entry {number}"))
                report.entries += 1
            self.whole = True
        except LiuhenError as error:
            report.add_error(error)
        if self.whole and self.check.identity is None:
            report.add(Verdict.NOT_SIGNED, where, "holds no entry")

    @property
    def key(self) -> VerifyKey | None:
        return None if self.check.identity is None else self.check.identity.key

    def kinds_of(self, segment: str) -> set[str]:
        return {entry.kind for entry in self.by_segment.get(segment, [])}

    def _take(self, entry: Entry) -> None:
        segment = entry.fields.get("segment")
        if entry.kind == STORED:
            self.receipts.append(entry)
        elif isinstance(segment, str):
            self.by_segment.setdefault(segment, []).append(entry)
        if entry.kind == "segment":
            self.seals[entry.fields["segment"]] = entry


class _Vault:
    """`vault/DEVICE/` with journal, segments and seals; `vault/dock/` with the dock's own journal."""

    def __init__(self, root: Path, trust: Trust, report: Report) -> None:
        self._trust = trust
        self._report = report
        path = root / DOCK / JOURNAL_TEXT
        if not path.is_file():
            raise BadInputError(str(root), "lacks the dock's own journal", f"expected at {path}")
        self._dock = _Journal(read_lines(path), trust, report, f"{DOCK}/{JOURNAL_TEXT}")
        self._check_head(self._dock, path)
        self._strangers(path.parent, {path.name, head_path(path).name})

    def verify(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            if not folder.is_dir():
                self._report.add(Verdict.NOT_SIGNED, folder.name, "is a file that no entry speaks of")
                continue
            self._verify_device(folder)

    def _verify_device(self, folder: Path) -> None:
        path = folder / JOURNAL_TEXT
        if not path.is_file():
            self._report.add(Verdict.GAPS, f"{folder.name}/{JOURNAL_TEXT}", "is missing")
            return
        journal = _Journal(read_lines(path), self._trust, self._report, f"{folder.name}/{JOURNAL_TEXT}")
        self._check_head(journal, path)
        expected = {path.name, head_path(path).name}
        for segment, seal in journal.seals.items():
            expected |= {f"{segment}.mp4", f"{segment}.jws"}
            self._verify_stored(folder, segment, seal)
        self._check_receipts(folder.name, journal)
        if journal.whole:
            self._strangers(folder, expected)

    def _verify_stored(self, folder: Path, segment: str, seal: Entry) -> None:
        path, beside = folder / f"{segment}.mp4", folder / f"{segment}.jws"
        name = f"{folder.name}/{segment}"
        if not path.is_file():
            self._report.add(Verdict.GAPS, f"{name}.mp4", "was sealed by the recorder and is not here")
            return
        _judge_segment(self._report, seal, path, f"{name}.mp4")
        if not beside.is_file():
            self._report.add(Verdict.GAPS, f"{name}.jws", "is missing")
        elif beside.read_bytes() != f"{seal.token}\n".encode("ascii"):
            self._report.add(Verdict.NOT_AUTHENTIC, f"{name}.jws", "is not the seal that stands in the journal")

    def _check_receipts(self, device: str, journal: _Journal) -> None:
        for receipt in (one for one in self._dock.receipts if one.fields["recorder"] == device):
            seal = journal.seals.get(receipt.fields["segment"])
            if seal is None:
                if journal.whole:
                    what = "the dock gave a receipt for it, but its seal is not in the journal"
                    self._report.add(Verdict.NOT_AUTHENTIC, f"{device}/{receipt.fields['segment']}", what)
                continue
            with _noting(self._report):
                check_receipt(receipt, seal)

    def _check_head(self, journal: _Journal, path: Path) -> None:
        """The dock states the end of every journal that it keeps."""
        where = f"{path.parent.name}/{head_path(path).name}"
        if not head_path(path).is_file():
            self._report.add(Verdict.GAPS, where, "is missing: nobody can say whether the journal's end is here")
            return
        with _noting(self._report):
            stated = read_head(_one_line(head_path(path)), where)
            if self._dock.key is None:
                raise UnknownKeyError(where, "cannot be checked without the dock's certificate")
            stated.verify(self._dock.key)
            if stated.journal != path.parent.name:
                raise ChainError(where, f"speaks of the journal of {stated.journal}")
            if journal.whole:
                journal.check.check_end(stated)

    def _strangers(self, folder: Path, expected: set[str]) -> None:
        _note_strangers(self._report, folder, expected, f"{folder.name}/")


class _Spool:
    """A recorder's card: the journal's database, segments, and receipts that have come in."""

    def __init__(self, root: Path, trust: Trust, report: Report) -> None:
        self._root = root
        self._trust = trust
        self._report = report
        self._path = root / JOURNAL_DB

    def verify(self) -> None:
        stated = self._check_closed()
        unclosed = self._path.with_name(f"{JOURNAL_DB}-wal").exists()
        with closing(JournalStore(self._path, Access.READ if unclosed else Access.FROZEN)) as store:
            journal = _Journal(store.tokens(), self._trust, self._report, JOURNAL_DB)
        if stated is not None and journal.whole:
            with _noting(self._report):
                journal.check.check_end(stated)
        for segment in journal.by_segment:
            self._verify_segment(journal, segment)
        self._verify_receipts(journal)
        if journal.whole:
            databases = {JOURNAL_DB, f"{JOURNAL_DB}-wal", f"{JOURNAL_DB}-shm", f"{JOURNAL_DB}{HEAD_SUFFIX}"}
            _note_strangers(self._report, self._root, databases | {"segments", "receipts"}, "")
            files = {f"{segment}.mp4" for segment in journal.by_segment}
            _note_strangers(self._report, self._root / "segments", files, "segments/")

    def _check_closed(self) -> StatedHead | None:
        """A recorder that closed its journal stated its end and its file's hash."""
        path = head_path(self._path)
        if not path.is_file():
            return None
        try:
            stated = read_head(_one_line(path), path.name)
            if not stated.x5c:
                raise UnknownKeyError(path.name, "does not carry a certificate")
            identity = self._trust.identify_der(stated.x5c[0])
            if identity.role is not Role.RECORDER or identity.name != stated.journal:
                raise UnknownKeyError(path.name, f"is signed by the {identity.role} {identity.name}")
            stated.verify(identity.key)
        except LiuhenError as error:
            self._report.add_error(error, path.name)
            return None
        if stated.file_sha256 != file_hash(self._path):
            self._report.add(Verdict.NOT_AUTHENTIC, JOURNAL_DB, "is not the file that was closed: a byte has changed")
        return stated

    def _verify_segment(self, journal: _Journal, segment: str) -> None:
        path, name = self._root / "segments" / f"{segment}.mp4", f"segments/{segment}.mp4"
        kinds = journal.kinds_of(segment)
        if not path.is_file():
            if "released" not in kinds and "init" in kinds:
                self._report.add(Verdict.GAPS, name, "is not here and was never released")
        elif segment in journal.seals:
            _judge_segment(self._report, journal.seals[segment], path, name)
        else:
            self._verify_unsealed([one for one in journal.by_segment[segment] if one.kind in PARTS], path, name)

    def _verify_unsealed(self, parts: list[Entry], path: Path, name: str) -> None:
        """A segment that was being written: every journalled part must be there."""
        data = path.read_bytes()
        self._report.checked_bytes += len(data)
        end = 0
        for part in parts:
            end = part.fields["offset_bytes"] + part.fields["stored_bytes"]
            piece = data[part.fields["offset_bytes"] : end]
            if to_base64url(sha256(piece).digest()) == part.fields["stored_sha256"]:
                continue
            where = f"{name} byte {part.fields['offset_bytes']}"
            self._report.add(Verdict.NOT_AUTHENTIC, where, f"part {part.fields['index']} is not what was signed")
            return
        self._report.add(Verdict.GAPS, name, f"is not sealed; {len(data) - end} bytes at its end are not journalled")

    def _verify_receipts(self, journal: _Journal) -> None:
        folder = self._root / "receipts"
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            with _noting(self._report):
                seal = journal.seals.get(path.stem)
                if seal is None or path.suffix != ".jws":
                    if journal.whole:
                        self._report.add(Verdict.NOT_SIGNED, f"receipts/{path.name}", "belongs to no sealed segment")
                    continue
                token = _one_line(path)
                identity = identify_signer(read_entry(token, path.name), self._trust)
                check_receipt(read_receipt(token, identity.key), seal)


@contextmanager
def _noting(report: Report) -> Iterator[None]:
    """Turn an error inside the block into a defect of the report."""
    try:
        yield
    except LiuhenError as error:
        report.add_error(error)


def _judge_segment(report: Report, seal: Entry, path: Path, name: str | None = None) -> None:
    with path.open("rb") as file, _noting(report):

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        report_segment(report, seal, path.stat().st_size, read, name or path.name)


def _note_strangers(report: Report, folder: Path, expected: set[str], prefix: str) -> None:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        empty_lock = path.name.startswith(".") and path.name.endswith(".lock") and path.stat().st_size == 0
        if path.name not in expected and not empty_lock:
            report.add(Verdict.NOT_SIGNED, f"{prefix}{path.name}", "is a file that no entry speaks of")


def _one_line(path: Path) -> str:
    lines = list(read_lines(path))
    if len(lines) != 1:
        raise BadInputError(str(path), f"holds {len(lines)} lines instead of one")
    return lines[0]
