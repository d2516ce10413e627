"""What a simulated shift came to: numbers from journal and vault, and the checks that decide about its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.account import Account, Use, accounts
from evidence.certificates import Trust
from evidence.io.account_command import account_fields, interruption_fields, read_journals
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.kinds import FRAGMENT_KINDS
from evidence.verify import ORDER, Report, Verdict


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: in Chinese, in English, and whether it does."""

    chinese: str
    english: str
    holds: bool


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """Everything that the summary and report.json say."""

    fields: Mapping[str, Any]
    checks: tuple[Check, ...]
    account: Account
    verified: Report

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def make_report(out: Path, readings: Mapping[str, int]) -> ShiftReport:
    """Judge what lies in `out`: vault, spool and the account. Raises LiuhenError when it cannot be read."""
    trust = Trust((out / "ca.pem").read_bytes(), str(out / "ca.pem"))
    vault, spool = verify_path(out / "vault", trust), verify_path(out / "spool", trust)
    ((_, entries),) = read_journals(out / "spool")
    account = accounts(entries)[0]
    numbers = _numbers(entries)
    verdict = max(vault.verdict, spool.verdict, key=ORDER.index)
    fields = {
        "frames_captured": readings.get("frames_captured", 0),
        "frames_skipped": readings.get("frames_skipped", 0),
        **numbers,
        "interruptions": interruption_fields(account),
        "account": account_fields(account),
        "verdict": verdict.value,
        "agent_rss_peak_bytes": readings.get("rss_peak_bytes", 0),
        **_offload(entries),
    }
    return ShiftReport(fields, _checks(fields, account, vault, spool, out), account, vault)


def _numbers(entries: list[Entry]) -> dict[str, int]:
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


def _offload(entries: list[Entry]) -> dict[str, Any]:
    """Bytes that have a receipt, and the time from docking to the last receipt."""
    received = {entry.fields["segment"]: entry for entry in entries if entry.kind == "receipt"}
    sealed = [entry for entry in entries if entry.kind == "segment" and entry.fields["segment"] in received]
    docked = next((entry.at.boot_us for entry in entries if entry.kind == "docked"), 0)
    last = max((entry.at.boot_us for entry in received.values()), default=docked)
    return {
        "offload_bytes": sum(entry.fields["stored_bytes"] for entry in sealed),
        "offload_seconds": (last - docked) / 1_000_000,
    }


def _checks(fields: Mapping[str, Any], account: Account, vault: Report, spool: Report, out: Path) -> tuple[Check, ...]:
    in_vault = len(list((out / "vault").glob("*/*.mp4")))
    length_us = account.end_us - account.start_us
    explained = all(one.state != "open" or one.cause for one in account.interruptions)
    return (
        Check("录像已生成", "frames were recorded", fields["frames_recorded"] > 0),
        Check("无丢帧", "no frame was dropped on its way to the card", fields["frames_dropped"] == 0),
        Check("每段均有回执", "every segment has its receipt", fields["receipts"] == fields["segments"] > 0),
        Check("每段均在库中", "every segment is in the vault", in_vault == fields["segments"]),
        Check("空间已释放", "the recorder freed the space", fields["segments_released"] == fields["segments"]),
        Check("库中证据真实完整", "the vault is authentic", vault.verdict is Verdict.AUTHENTIC),
        Check("本机日志真实完整", "the recorder's journal is authentic", spool.verdict is Verdict.AUTHENTIC),
        Check("每次中断均有原因", "every interruption has a cause", explained),
        Check("时间账目平衡", "the account adds up", sum(account.total_us(use) for use in Use) == length_us),
    )
