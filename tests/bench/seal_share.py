"""What sealing costs: CPU seconds and memory for one second of 1080p, beside what the whole recorder spends on it.

python -m tests.bench.seal_share                 the share of a recording's CPU, limit 3 %
"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec

from evidence.sealing import Sealer
from evidence.signing import to_base64url
from tests.bench.running import PICTURES, running, set_up, verdict

SHARE_LIMIT = 0.03
RECORDED_S = 20.0
ROUNDS = 300
INFO = {"pts_us": 1, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of one call, the median of many."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return median(spent)


def seal_once(sealer: Sealer, plain: bytes) -> str:
    """What sealing adds to a fragment: the record, and a second hash."""
    stored = sealer.seal(plain, INFO, "A" * 43)
    return to_base64url(sha256(stored).digest())


def recording_cpu_s(folder: Path, frames_per_s: int) -> float:
    """CPU seconds of the whole recorder for one second of a recording."""
    setup = set_up(folder, PICTURES[1080])
    with running(setup) as recorder:
        recorder.await_capture()
        recorder.press("record")
        time.sleep(3)
        begun_s = time.monotonic()
        time.sleep(RECORDED_S)
        return recorder.meter.cpu_per_frame_s(begun_s) * frames_per_s


def main() -> None:
    """Print the figures."""
    picture = PICTURES[1080]
    plain = os.urandom(picture.bit_rate_bps // 8)
    vault = ec.generate_private_key(ec.SECP256R1()).public_key()
    sealer = Sealer(vault, "BWC-0001", "3f2a9c1b7d04-00001")
    sealer.seal(b"init")
    fragment_s = cpu_s(lambda: seal_once(sealer, plain))
    wrap_s = cpu_s(lambda: Sealer(vault, "BWC-0001", "3f2a9c1b7d04-00001"))
    tracemalloc.start()
    seal_once(sealer, plain)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size_mb = len(plain) / 1e6
    print(
        f"a fragment of {size_mb:.2f} MB: {fragment_s * 1e3:.2f} ms CPU, {size_mb / fragment_s:.0f} MB/s with its hash"
    )
    print(f"a file's key, made and wrapped: {wrap_s * 1e3:.2f} ms CPU, once a minute")
    print(f"memory at its peak: {peak_bytes / len(plain):.2f} times the fragment")
    with TemporaryDirectory(prefix="liuhen-bench-") as folder:
        second_s = recording_cpu_s(Path(folder), picture.frames_per_s)
    print(f"a second of a recording: {second_s * 1e3:.0f} ms CPU")
    print(verdict("share of sealing, percent", 100 * (fragment_s + wrap_s / 60) / second_s, 100 * SHARE_LIMIT))


if __name__ == "__main__":
    main()
