"""What the recorder process holds in memory while it records: its peak, and whether it grows."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory

from tests.bench.running import PICTURES, rss_bytes, running, set_up, verdict

PEAK_LIMIT_MB = 180
GROWTH_LIMIT_MB_PER_H = 10
SETTLED_S = 60
SLOPE_S = 300
"""Over less time a slope says nothing."""
SAMPLE_S = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--height", type=int, choices=PICTURES, default=720)
    options = parser.parse_args()
    samples: list[tuple[float, float]] = []
    with (
        TemporaryDirectory(prefix="liuhen-bench-") as folder,
        running(set_up(Path(folder), PICTURES[options.height])) as recorder,
    ):
        recorder.await_capture()
        recorder.press("record")
        end_s = recorder.began_s + options.minutes * 60
        while (now_s := time.monotonic()) < end_s:
            samples.append((now_s - recorder.began_s, rss_bytes(recorder.pid) / 1e6))
            time.sleep(SAMPLE_S)
        peak_mb = recorder.reading["rss_peak_bytes"] / 1e6
        skipped = recorder.reading["frames_skipped"]
    print(" ".join(f"{seconds:.0f} s: {mb:.0f} MB" for seconds, mb in samples[:: max(1, len(samples) // 12)]))
    settled = [sample for sample in samples if sample[0] > SETTLED_S]
    if len(settled) * SAMPLE_S >= SLOPE_S:
        slope = linear_regression(*zip(*settled, strict=True)).slope * 3600
        print(verdict(f"growth after {SETTLED_S} s", slope, GROWTH_LIMIT_MB_PER_H, " MB/h"))
    print(verdict("peak", peak_mb, PEAK_LIMIT_MB, " MB"), f"at {options.height}p, {skipped} frames skipped")


if __name__ == "__main__":
    main()
