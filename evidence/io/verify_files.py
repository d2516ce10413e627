"""`verify_path`: what lies on a disc, brought before the rules of `evidence.verify`: a segment, a vault, a spool.

Nothing is written (but SQLite's own `-shm` beside a journal that its recorder has not closed); files are read piece by
piece, so memory does not grow with them.
"""

from __future__ import annotations

from pathlib import Path

from evidence.certificates import Trust
from evidence.errors import BadInputError, LiuhenError
from evidence.io.verify_spool import JOURNAL_DB, SpoolCheck
from evidence.io.verify_vault import JOURNAL_TEXT, VaultCheck
from evidence.io.verifying import judge_segment, one_line
from evidence.journal import read_entry
from evidence.verify import Report, Verdict, identify_signer, read_signed


def verify_path(path: Path, trust: Trust) -> Report:
    """Judge whatever lies at `path`. Raises BadInputError when it is none of the things that can be judged."""
    report = Report()
    path = path.resolve()  # names count: of what lies in `.`, too
    if path.is_file() and path.suffix == ".mp4":
        _verify_segment_file(path, trust, report)
    elif (path / JOURNAL_DB).is_file():
        SpoolCheck(path, trust, report).verify()
    elif (path / JOURNAL_TEXT).is_file():
        VaultCheck(path.parent, trust, report).verify([path])
    elif any(path.glob(f"*/{JOURNAL_TEXT}")):
        VaultCheck(path, trust, report).verify_all()
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
        seal = read_signed(read_entry, one_line(beside), str(beside), trust, None)
        identify_signer(seal, trust)
    except LiuhenError as error:
        report.add_error(error, str(beside))
        return
    if seal.kind != "segment":
        report.add(Verdict.NOT_SIGNED, str(beside), f"is an entry of kind {seal.kind}, not a seal")
        return
    report.entries = 1
    judge_segment(report, seal, path)
