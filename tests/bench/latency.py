"""How long after its capture a picture is safe: from each frame's own time to its fragment's entry in the journal.

The first frame of a fragment waits for all the others, so a GOP's length is in every figure. An entry's own time is
taken when the fragment's bytes are synced; what its commit takes is measured apart, on the same disc.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from evidence.journal import Entry
from tests.bench.running import PICTURES, Setup, dropped, entries, fresh_clock, open_spool, running, set_up, verdict

GOP_MS = 1000
ROOM_MS = 100
COMMITS = 100


def waits_ms(found: Sequence[Entry], epoch_boot_us: int) -> list[float]:
    """For every frame: from its capture to its fragment's entry."""
    waits = []
    for entry in found:
        frames, length_us = entry.fields["frames"], entry.fields["duration_us"]
        first_us = epoch_boot_us + entry.fields["pts_us"]
        waits += [(entry.at.boot_us - first_us - frame * length_us / frames) / 1000 for frame in range(frames)]
    return sorted(waits)


def record(setup: Setup, seconds: float) -> int:
    """Record for so long; how many frames the camera skipped."""
    with running(setup) as recorder:
        recorder.await_capture()
        recorder.press("record")
        time.sleep(seconds)
        recorder.press("stop")
        time.sleep(1.5)
    return recorder.reading["frames_skipped"]


def commits_ms(setup: Setup) -> list[float]:
    """How long it takes to journal an entry here."""
    spool, took = open_spool(setup, setup.root / "commits", fresh_clock()), []
    for _ in range(COMMITS):
        began_s = time.monotonic()
        spool.note("docked")
        took.append((time.monotonic() - began_s) * 1000)
    spool.journal.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--height", type=int, choices=PICTURES, default=1080)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with TemporaryDirectory(prefix="liuhen-bench-") as folder:
        setup = set_up(Path(folder), PICTURES[options.height])
        skipped = record(setup, options.seconds)
        (init, *_), (started, *_) = entries(setup.spool, "init"), entries(setup.spool, "recording_started")
        epoch_us = init.fields["epoch_boot_us"]
        # What the ring held when the recording began had waited there by design.
        found = [
            one for one in entries(setup.spool, "fragment") if epoch_us + one.fields["pts_us"] > started.at.boot_us
        ]
        print(f"{len(found)} fragments, {skipped} frames skipped, {dropped(setup.spool)} dropped")
        waits = waits_ms(found, epoch_us)
        middle, most = waits[len(waits) // 2], waits[len(waits) * 95 // 100]
        commit_ms = commits_ms(setup)
        print(f"commit of an entry: median {median(commit_ms):.1f} ms, longest {max(commit_ms):.1f} ms")
        print(f"captured to durable: median {middle:.0f} ms, longest {waits[-1]:.0f} ms")
        print(verdict("p95 of captured to durable", most, GOP_MS + ROOM_MS, " ms"))


if __name__ == "__main__":
    main()
