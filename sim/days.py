"""`liuhen sim --fast` and `--chaos`: days under the world's own time, each judged by what must hold after any day."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from evidence.errors import ConfigError
from evidence.io.durable import make_folder
from sim.day.chaos import chaos
from sim.day.day import live_day
from sim.day.invariants import check_day
from sim.report import ShiftReport, find, report_fields
from sim.scenario import Scenario
from sim.steps import LONGEST_S
from sim.summary import print_summary

FASTEST_DISC = Path("/dev/shm")
SEEDS_LIMIT = 1000
Say = Callable[[float, str], None]


def random_days(seeds: str, hours: float) -> Iterator[tuple[int, Scenario]]:
    """The days of `7` or `1..50`. Raises ConfigError."""
    found = re.fullmatch(r"(\d{1,9})(?:\.\.(\d{1,9}))?", seeds)
    if found is None or not 0 < hours * 3600 <= LONGEST_S:
        raise ConfigError(
            f"--chaos {seeds} --hours {hours:g}", "is no random day", "for example --chaos 1..50 --hours 8"
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not first <= last < first + SEEDS_LIMIT:
        raise ConfigError(f"--chaos {seeds}", "is no range of seeds", f"upwards, at most {SEEDS_LIMIT}")
    return ((seed, chaos(seed, hours)) for seed in range(first, last + 1))


def run_day(scenario: Scenario, seed: int, out: Path | None, as_json: bool, say: Say) -> bool:
    """Live one day in `out`, or in a folder that is removed; print what came of it; true when everything held."""
    scratch = FASTEST_DISC if FASTEST_DISC.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="liuhen-", dir=scratch) as folder:
        out = out or Path(folder) / "out"
        make_folder(out)
        lived = live_day(out, scenario, seed, say)
        found = find(out)
        checks = check_day(found, lived)
        broken = [check.english for check in checks if not check.holds]
        told = report_fields(found, {"frames_captured": lived.frames_captured})
        fields = {"seed": seed, "broken": broken, **told}
        report = ShiftReport(fields, checks, found.accounts, found.vault)
        text = json.dumps(fields, ensure_ascii=False, indent=2)
        (out / "report.json").write_text(text + "\n", encoding="utf-8")
    if as_json:
        print(text, flush=True)
    else:
        print_summary(report)
    return report.holds
