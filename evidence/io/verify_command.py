"""`liuhen verify PATH`: whether evidence is what the recorder signed, and where it first is not."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from evidence.certificates import Trust
from evidence.errors import BadInputError
from evidence.io.command import Command
from evidence.io.verify_files import verify_path
from evidence.verify import EXIT_CODES, Report, Verdict

HELP = """Judge evidence: a segment, photo or note with its entry beside it (X and X.jws), a vault, or a spool.

Sealed evidence (X.lhs, X.lhb; every vault and spool) is judged without any key, opened evidence (X.mp4, X.jpg, X.m4a)
by its plain bytes: they are what the recorder hashed and signed. So is a clip, with what was withheld as a gap.

The verdict names the exact place of the first defect. --trust is the unit's root certificate (ca.pem), which you must
have from the unit itself, never from beside the evidence: without it nobody vouches for any key.

Exit codes: 0 authentic, 3 authentic with gaps, 1 not authentic, not signed or unknown key, 2 cannot be read."""
CHINESE = {
    Verdict.AUTHENTIC: "真实完整",
    Verdict.GAPS: "真实，但有缺失",
    Verdict.NEWER_VERSION: "格式版本较新",
    Verdict.UNKNOWN_KEY: "密钥不明",
    Verdict.NOT_SIGNED: "未签名",
    Verdict.NOT_AUTHENTIC: "不真实",
}
SHOWN = 20


def print_report(report: Report) -> None:
    """The verdict for a person, Chinese and English, worst defect first."""
    print(f"{CHINESE[report.verdict]} {report.verdict}")
    counted = f"{report.entries} entries, {report.segments} segments, {report.blobs} photos and notes"
    print(f"  {counted}, {report.checked_bytes / 1e6:.1f} MB checked")
    if (first := report.first) is not None:
        print(f"  first: {first.where}: {first.what}")
    others = [defect for defect in report.defects if defect is not first]
    for defect in others[:SHOWN]:
        print(f"  also:  {defect.where}: {defect.what} ({defect.verdict})")
    if len(others) > SHOWN:
        print(f"  and {len(others) - SHOWN} more")


def report_fields(report: Report) -> dict[str, object]:
    """The verdict for a machine."""
    return {
        "verdict": report.verdict.value,
        "entries": report.entries,
        "segments": report.segments,
        "blobs": report.blobs,
        "checked_bytes": report.checked_bytes,
        "defects": [{"verdict": d.verdict.value, "where": d.where, "what": d.what} for d in report.defects],
    }


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="a file with its entry beside it, a vault, or a spool")
    parser.add_argument("--trust", type=Path, metavar="CA", help="the unit's root certificate in PEM")
    help_text = "the dock's journal (vault/dock/journal.jws): which keys were revoked, for what lies outside of a vault"
    parser.add_argument("--dock-journal", type=Path, metavar="JOURNAL", help=help_text)
    parser.add_argument("--json", action="store_true", help="for machines: one JSON object")


def _run(options: argparse.Namespace) -> int:
    if not options.path.exists():
        raise BadInputError(str(options.path), "is not there")
    if options.trust is None:
        report = Report()
        report.add(Verdict.UNKNOWN_KEY, str(options.path), "nobody vouches for its keys: give --trust ca.pem")
    else:
        report = verify_path(options.path, _trust(options.trust), options.dock_journal)
    if options.json:
        print(json.dumps(report_fields(report), ensure_ascii=False, indent=2))
    else:
        print_report(report)
    return EXIT_CODES[report.verdict]


def _trust(path: Path) -> Trust:
    try:
        return Trust(path.read_bytes(), str(path))
    except OSError as error:
        raise BadInputError(str(path), f"cannot be read: {error.strerror}") from error


VERIFY = Command(HELP, _configure, _run)
