"""From switching on to a picture that is safe, and how long recovery takes on a card with a long journal."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from device.agent import SOFTWARE
from device.capture.muxer import MediaFragment
from device.numbers import Numbers
from device.recovery import recover
from device.spool import SpoolPaths
from evidence.io.durable import PosixDisc
from evidence.io.sealed_file import opened_parts
from evidence.model import FragmentInfo
from tests.bench.running import OFFICER, PICTURES, Setup, entries, fresh_clock, open_spool, running, set_up, verdict
from tests.vault_key import vault_key_of

START_LIMIT_S = 2.5
RECOVERY_LIMIT_S = 1.0
SEGMENT_FRAGMENTS = 60
POLL_S = 0.01


class FastDisc(PosixDisc):
    """Writes without waiting, for a card that is only made to be read."""

    def append(self, path: Path, data: bytes, at_bytes: int) -> None:
        self.write_at(path, data, at_bytes)


def first_fragment_s(setup: Setup, press: bool) -> float:
    """From the process's start to its first new fragment in the journal: of a new recording, or of one that goes on."""
    before = head_seq(setup)
    with running(setup) as recorder:
        if press:
            recorder.await_capture()
            recorder.press("record")
        while not any(entry.seq > before for entry in entries(setup.spool, "fragment")[-1:]):
            time.sleep(POLL_S)
        took_s = time.monotonic() - recorder.began_s
        # As by a power cut, so that the next start has a recording to go on with.
        recorder.process.kill()
    return took_s


def head_seq(setup: Setup) -> int:
    return max((entry.seq for entry in entries(setup.spool, "fragment")), default=-1)


def recorded_parts(setup: Setup) -> tuple[bytes, MediaFragment]:
    """An init section and a fragment as the recorder makes them."""
    found = entries(setup.spool, "fragment")[-1]
    path = SpoolPaths(setup.spool).segment(found.fields["segment"])
    parts = list(opened_parts(path, vault_key_of(setup.root / "dock")))
    return parts[0], MediaFragment(parts[found.fields["index"]], FragmentInfo(0, 1_000_000, 30, 48_000), 0)


def fill(setup: Setup, root: Path, fragments: int) -> None:
    """A card after a shift that a power cut ended: half of it released, the last segment open, its end torn."""
    init, real = recorded_parts(setup)
    small = MediaFragment(b"x", FragmentInfo(0, 1_000_000, 30, 48_000), 0)
    clock = fresh_clock()
    spool = open_spool(setup, root, clock, FastDisc())
    spool.journal._db.execute("pragma synchronous=off")
    boot = clock.now().boot
    numbers = Numbers(spool.journal, boot)
    recover(spool, numbers, boot, SOFTWARE)
    recording = numbers.next_recording()
    spool.note("recording_started", recording=recording, trigger="button", officer=OFFICER.number)
    for begin in range(0, fragments, SEGMENT_FRAGMENTS):
        state = spool.open_segment(numbers.next_segment(), recording, OFFICER, init, clock.now())
        count = min(SEGMENT_FRAGMENTS, fragments - begin)
        last = begin + count == fragments
        for _ in range(count):
            spool.append(state, real if last else small)
        if not last:
            spool.seal(state, "length")
        if begin < fragments // 2:
            spool.note("released", segment=state.segment, stored_bytes=state.stored_bytes)
            spool.disc.remove(spool.paths.segment(state.segment))
    path = spool.paths.segment(state.segment)
    with path.open("ab") as file:
        file.write(real.data + real.data[: len(real.data) // 2])
    spool.journal.close()


def recovery_s(setup: Setup, root: Path) -> float:
    """From opening the card to everything being in order again."""
    clock = fresh_clock()
    began_s = time.monotonic()
    spool = open_spool(setup, root, clock)
    boot = clock.now().boot
    found = recover(spool, Numbers(spool.journal, boot), boot, SOFTWARE)
    took_s = time.monotonic() - began_s
    assert found.fragments == 1, "the whole fragment at the end"
    assert found.torn_bytes > 0, "the torn one"
    spool.journal.close()
    return took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--fragments", type=int, default=10_000)
    parser.add_argument("--height", type=int, choices=PICTURES, default=720)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with TemporaryDirectory(prefix="liuhen-bench-") as folder:
        setup = set_up(Path(folder), PICTURES[options.height])
        pressed = [first_fragment_s(setup, press=True)]
        resumed = [first_fragment_s(setup, press=False) for _ in range(options.starts)]
        print("on, REC at once:", " ".join(f"{one:.2f}" for one in pressed), "s")
        print("on, recording goes on:", " ".join(f"{one:.2f}" for one in resumed), "s")
        print(verdict("first fragment safe after (median)", median(resumed), START_LIMIT_S, " s"))
        took_s = []
        for number in range(options.starts):
            root = Path(folder) / f"card-{number}"
            fill(setup, root, options.fragments)
            took_s.append(recovery_s(setup, root))
        print(f"recovery of {options.fragments} fragments:", " ".join(f"{one:.2f}" for one in took_s), "s")
        print(verdict("recovery (median)", median(took_s), RECOVERY_LIMIT_S, " s"))


if __name__ == "__main__":
    main()
