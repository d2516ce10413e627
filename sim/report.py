"""What a simulated shift came to: numbers from journal and vault, and the checks that decide about its exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.account import Account, Use, accounts
from evidence.certificates import Trust
from evidence.io.account_command import account_fields, interruption_fields, read_journals
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.kinds import FRAGMENT_KINDS, SEALED_SEGMENT
from evidence.verify import ORDER, Report, Verdict


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: in Chinese, in English, and whether it does."""

    chinese: str
    english: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a folder after a shift, or after a day of several."""

    out: Path
    entries: Sequence[Entry]
    """The recorder's journal."""
    accounts: Sequence[Account]
    vault: Report
    spool: Report


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """Everything that the summary and report.json say."""

    fields: Mapping[str, Any]
    checks: tuple[Check, ...]
    accounts: Sequence[Account]
    verified: Report

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def find(out: Path) -> Found:
    """Read vault, spool and journal. Raises LiuhenError when that cannot be."""
    trust = Trust((out / "ca.pem").read_bytes(), str(out / "ca.pem"))
    vault, spool = verify_path(out / "vault", trust), verify_path(out / "spool", trust)
    ((_, entries),) = read_journals(out / "spool")
    return Found(out, entries, accounts(entries), vault, spool)


def make_report(out: Path, readings: Mapping[str, int]) -> ShiftReport:
    """Judge a shift in real time by what lies in `out`. Raises LiuhenError when it cannot be read."""
    found = find(out)
    fields = report_fields(found, readings)
    return ShiftReport(fields, _checks(fields, found), found.accounts, found.vault)


def report_fields(found: Found, readings: Mapping[str, int]) -> dict[str, Any]:
    """What report.json says."""
    return {
        "frames_captured": readings.get("frames_captured", 0),
        "frames_skipped": readings.get("frames_skipped", 0),
        **_numbers(found.entries),
        "interruptions": [one for account in found.accounts for one in interruption_fields(account)],
        "account": _sum([account_fields(account) for account in found.accounts]),
        "verdict": max(found.vault.verdict, found.spool.verdict, key=ORDER.index).value,
        "agent_rss_peak_bytes": readings.get("rss_peak_bytes", 0),
        **_offload(found.entries),
    }


def _sum(shifts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(sum(shift[name] for shift in shifts), 6) for name in shifts[0]}


def _numbers(entries: Sequence[Entry]) -> dict[str, int]:
    kept = [entry for entry in entries if entry.kind in FRAGMENT_KINDS]
    return {
        "frames_recorded": sum(entry.fields["frames"] for entry in kept),
        "frames_dropped": sum(entry.fields["frames"] for entry in entries if entry.kind == "dropped"),
        "fragments": len(kept),
        "fragments_recovered": sum(entry.kind == "recovered" for entry in kept),
        "segments": sum(entry.kind == "segment" for entry in entries),
        "receipts": sum(entry.kind == "receipt" for entry in entries),
        "segments_released": sum(entry.kind == "released" for entry in entries),
        "bookmarks": sum(entry.kind == "bookmark" for entry in entries),
    }


def _offload(entries: Sequence[Entry]) -> dict[str, Any]:
    """Bytes that have a receipt, and the time from docking to the last receipt."""
    received = {entry.fields["segment"]: entry for entry in entries if entry.kind == "receipt"}
    sealed = [entry for entry in entries if entry.kind == "segment" and entry.fields["segment"] in received]
    docked = next((entry.at.boot_us for entry in entries if entry.kind == "docked"), 0)
    last = max((entry.at.boot_us for entry in received.values()), default=docked)
    return {
        "offload_bytes": sum(entry.fields["stored_bytes"] for entry in sealed),
        "offload_seconds": (last - docked) / 1_000_000,
    }


def adds_up(account: Account) -> bool:
    """Whether the spans cover the shift, each instant once."""
    borders = [account.start_us, *(span.end_us for span in account.spans)]
    tiled = all(span.start_us == before < span.end_us for span, before in zip(account.spans, borders, strict=False))
    total_us = sum(account.total_us(use) for use in Use)
    return tiled and borders[-1] == account.end_us and total_us == account.end_us - account.start_us


def _checks(fields: Mapping[str, Any], found: Found) -> tuple[Check, ...]:
    in_vault = len(list((found.out / "vault").glob(f"*/*{SEALED_SEGMENT}")))
    caused = all(one.cause for account in found.accounts for one in account.interruptions)
    return (
        Check("录像已生成", "frames were recorded", fields["frames_recorded"] > 0),
        Check("无丢帧", "no frame was dropped on its way to the card", fields["frames_dropped"] == 0),
        Check("每段均有回执", "every segment has its receipt", fields["receipts"] == fields["segments"] > 0),
        Check("每段均在库中", "every segment is in the vault", in_vault == fields["segments"]),
        Check("空间已释放", "the recorder freed the space", fields["segments_released"] == fields["segments"]),
        Check("库中证据真实完整", "the vault is authentic", found.vault.verdict is Verdict.AUTHENTIC),
        Check("本机日志真实完整", "the recorder's journal is authentic", found.spool.verdict is Verdict.AUTHENTIC),
        Check("每次中断均有原因", "every interruption has a cause", caused),
        Check("时间账目平衡", "the account adds up", all(map(adds_up, found.accounts))),
    )
