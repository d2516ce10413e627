"""`verify_path`: what lies on a disc, brought before the rules of `evidence.verify`: a segment, a vault, a spool.

Nothing is written (but SQLite's own `-shm` beside a journal that its recorder has not closed); files are read piece by
piece, so memory does not grow with them.
"""

from __future__ import annotations

from pathlib import Path

from evidence.certificates import Trust
from evidence.errors import BadInputError
from evidence.io.verify_beside import read_beside, verify_blob_file
from evidence.io.verify_spool import JOURNAL_DB, SpoolCheck
from evidence.io.verify_vault import JOURNAL_TEXT, VaultCheck, read_kept_journal
from evidence.io.verifying import judge_segment
from evidence.kinds import BLOB_SUFFIXES, SEALED_BLOB, SEALED_SEGMENT, SEGMENT_SUFFIX
from evidence.receipts import DOCK
from evidence.revocation import Revocations
from evidence.verify import Report, Verdict

SEGMENTS = (SEALED_SEGMENT, SEGMENT_SUFFIX)
BLOBS = (SEALED_BLOB, *BLOB_SUFFIXES.values())


def verify_path(path: Path, trust: Trust, dock_journal: Path | None = None) -> Report:
    """Judge whatever lies at `path`. Raises BadInputError when it is none of the things that can be judged.

    `dock_journal` says which keys were revoked, for what lies outside of a vault, which has its own.
    """
    report = Report()
    path = path.resolve()  # names count: of what lies in `.`, too
    revocations = None if dock_journal is None else _revocations(dock_journal, trust, report)
    if path.is_file() and path.suffix in (*SEGMENTS, *BLOBS):
        _verify_file(path, trust, report, revocations)
    elif (path / JOURNAL_DB).is_file():
        SpoolCheck(path, trust, report, revocations).verify()
    elif revocations is not None:
        raise BadInputError(str(path), "is no file and no spool", "a vault has the dock's journal in it")
    elif (path / JOURNAL_TEXT).is_file():
        VaultCheck(path.parent, trust, report).verify([path])
    elif any(path.glob(f"*/{JOURNAL_TEXT}")):
        VaultCheck(path, trust, report).verify_all()
    else:
        what = "is no segment, photo, note, vault or spool"
        raise BadInputError(str(path), what, "give X.lhs or X.mp4 with X.jws, a vault, or a spool")
    return report


def _revocations(path: Path, trust: Trust, report: Report) -> Revocations:
    """From the dock's journal, itself judged: one that is cut short may lack the revocation."""
    if not path.is_file():
        raise BadInputError(str(path), "is not there", f"expected the dock's {DOCK}/{JOURNAL_TEXT}")
    return read_kept_journal(path, DOCK, None, trust, report).revocations


def _verify_file(path: Path, trust: Trust, report: Report, revocations: Revocations | None) -> None:
    """A segment, photo or note on its own, sealed or opened, with the one line that vouches for it beside it."""
    beside = path.with_suffix(".jws")
    if not beside.is_file():
        raise BadInputError(str(path), "has no entry beside it", f"put its entry into {beside.name}")
    entry = read_beside(beside, trust, report, revocations)
    if entry is None:
        return
    if path.suffix not in SEGMENTS:
        verify_blob_file(path, entry, report)
    elif entry.kind != "segment":
        report.add(Verdict.NOT_SIGNED, str(beside), f"is an entry of kind {entry.kind}, not a seal")
    else:
        report.entries = 1
        judge_segment(report, entry, path)
