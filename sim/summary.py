"""The summary of a simulated shift, for a person who enjoys reading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evidence.account import Use
from evidence.io.account_command import BAR, CHINESE, bar
from evidence.io.verify_command import CHINESE as CHINESE_VERDICT
from evidence.verify import Verdict
from sim.report import ShiftReport

STATES = {"open": "未说明", "explained": "已说明", "reported": "已上报", "written": "已书面说明"}
RULE = "─" * 72


def print_summary(report: ShiftReport) -> None:
    """Times, counts, verdict, account bar and checks."""
    fields = report.fields
    verdict = Verdict(fields["verdict"])
    print(f"\n{RULE}\n 留痕 liuhen · 值勤小结 summary of the shift\n{RULE}")
    print(f"  证据 evidence   {CHINESE_VERDICT[verdict]} {verdict}")
    for account in report.accounts:
        print(f"  时间 account    [{bar(account)}]")
    for use in Use:
        seconds = fields["account"][f"{use}_s"]
        if seconds:
            print(f"      {BAR[use]} {_wide(CHINESE[use], 8)}{use:<12} {seconds:10.3f} s")
    print(f"        {_wide('合计', 8)}{'total':<12} {fields['account']['total_s']:10.3f} s")
    _print_interruptions(fields)
    _print_counts(fields)
    print()
    for check in report.checks:
        print(f"  {'✓' if check.holds else '✗'} {_wide(check.chinese, 20)}{check.english}")
    print(RULE)


def _print_interruptions(fields: Mapping[str, Any]) -> None:
    for one in fields["interruptions"]:
        state = f"{STATES[one['state']]} {one['state']}"
        reason = f" ({one['reason']})" if one["reason"] else ""
        start, end = one["start"][11:23], "…" if one["end"] is None else one["end"][11:23]
        print(f"  中断 interruption  {one['cause']}  {start} – {end} UTC  {state}{reason}")


def _print_counts(fields: Mapping[str, Any]) -> None:
    megabytes = fields["offload_bytes"] / 1e6
    rate = megabytes / fields["offload_seconds"] if fields["offload_seconds"] else 0.0
    rows = (
        ("画面", "frames", f"{fields['frames_recorded']} recorded of {fields['frames_captured']} captured"),
        ("片段", "fragments", f"{fields['fragments']}, of these {fields['fragments_recovered']} recovered"),
        ("分段", "segments", f"{fields['segments']} sealed, {fields['receipts']} receipts, "
                             f"{fields['segments_released']} released"),
        ("标记", "bookmarks", f"{fields['bookmarks']}"),
        ("卸载", "offload", f"{megabytes:.1f} MB in {fields['offload_seconds']:.2f} s ({rate:.0f} MB/s)"),
        ("内存", "memory", f"{fields['agent_rss_peak_bytes'] / 1e6:.0f} MB peak in the recorder"),
    )  # fmt: skip
    print()
    for chinese, english, text in rows:
        print(f"  {_wide(chinese, 6)}{english:<10} {text}")


def _wide(text: str, cells: int) -> str:
    """Chinese characters take two cells of a terminal."""
    return text + " " * max(1, cells - sum(2 if ord(one) > 0x2E80 else 1 for one in text))
