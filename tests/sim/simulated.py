"""`liuhen sim` run as a person runs it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from evidence.certificates import Trust
from evidence.io.account_command import read_journals
from evidence.io.sealed_file import open_file
from evidence.journal import Entry
from evidence.model import ClockGrade, Timestamp
from sim.clock import SimClock
from sim.processes import liuhen
from tests.vault_key import vault_key_of

SCENARIOS = Path(__file__).parents[2] / "sim" / "scenarios"
FRAMES_PER_S = 30
LIMIT_S = 120.0
POLL_US = 50_000
MARK = "LIUHEN_TEST_RUN"


@dataclass
class Run:
    """A command on its way. Whatever it starts carries its mark, also when it is orphaned."""

    command: Sequence[str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    path: str | None = None
    stdout: str = ""
    stderr: str = ""

    def __post_init__(self) -> None:
        environment = {**os.environ, MARK: self.mark, **({} if self.path is None else {"PATH": self.path})}
        # Signals may be ignored where the tests themselves were started in the background.
        command = ["/usr/bin/env", "--default-signal", *self.command]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def end(self) -> int:
        """Wait for its end and keep what it said."""
        stdout, stderr = self.process.communicate(timeout=LIMIT_S)
        self.stdout += stdout
        self.stderr += stderr
        return self.process.returncode

    def read_until(self, words: str) -> None:
        """Return when standard error has said this."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr += line
            if words in line:
                return
        raise AssertionError(f"ended without {words!r}: {self.stderr}")


def left_behind(mark: str) -> list[str]:
    """The command lines of everything that was started under this mark and is still alive."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # ended while we looked, or somebody else's
    return found


def sim(*arguments: str) -> Run:
    return Run(liuhen("sim", *arguments))


def await_that(holds: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Return when it holds; the clock is the world's."""
    clock, never = SimClock(uuid.uuid4().hex, 0, ClockGrade.NTP), threading.Event()
    while not holds():
        assert clock.boot_us() < limit_s * 1e6, f"not within {limit_s:g} s: {what}"
        clock.wait_until(clock.boot_us() + POLL_US, never)


@dataclass(frozen=True)
class Left:
    """What a shift with `--out` left behind."""

    out: Path
    run: Run | None = None

    @property
    def report(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads((self.out / "report.json").read_text())
        return fields

    @property
    def skipped_s(self) -> float:
        """A busy machine's camera skips pictures, and says so; behind it none is lost."""
        skipped: int = self.report["frames_skipped"]
        return skipped / FRAMES_PER_S

    @property
    def trust(self) -> Trust:
        return Trust((self.out / "ca.pem").read_bytes(), "ca.pem")

    @property
    def entries(self) -> list[Entry]:
        """The recorder's journal."""
        ((_, entries),) = read_journals(self.out / "spool")
        return entries

    def kinds(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    @property
    def stored(self) -> list[Path]:
        """The vault's segments in the order in which they were sealed."""
        return [next((self.out / "vault").glob(f"*/{e.fields['segment']}.lhs")) for e in self.kinds("segment")]

    @property
    def segments(self) -> list[Path]:
        """The same opened, with their seals beside them, in a folder of their own."""
        folder, key = self.out.with_name(f"{self.out.name}-opened"), vault_key_of(self.out)
        folder.mkdir(exist_ok=True)
        made = []
        for stored in self.stored:
            path = folder / f"{stored.stem}.mp4"
            if not path.exists():
                open_file(stored, path, key)
                shutil.copy(stored.with_suffix(".jws"), folder)
            made.append(path)
        return made

    def captures(self, segment: Path) -> list[Timestamp]:
        """When each picture of a segment was captured, by journal and time stamps; the camera ticks steadily."""
        init = next(entry for entry in self.kinds("init") if entry.fields["segment"] == segment.stem)
        ticks = [round((init.fields["epoch_boot_us"] / 1e6 + pts) * FRAMES_PER_S) for pts, _ in packets(segment, "v")]
        return [at_boot_us(init.at, tick * 1_000_000 // FRAMES_PER_S) for tick in ticks]


def at_boot_us(stamp: Timestamp, boot_us: int) -> Timestamp:
    """Another instant of the same boot, by the same belief of UTC."""
    return replace(stamp, utc_us=stamp.utc_us - stamp.boot_us + boot_us, boot_us=boot_us)


@cache
def simulated_shift(folder: Path) -> Left:
    """The default shift in 16 s, once for all tests that give the same folder."""
    out = folder / "simulated shift" / "out"
    run = sim("--seconds", "16", "--size", "640x360", "--out", str(out), "--json")
    run.end()
    return Left(out, run)


def packets(path: Path, stream: str) -> list[tuple[float, float]]:
    """Time stamp and length in seconds of every packet of one stream, as ffprobe sees them."""
    wanted = ["-select_streams", stream, "-show_entries", "packet=pts_time,duration_time", "-of", "csv=p=0"]
    done = subprocess.run(["ffprobe", "-v", "error", *wanted, path], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    rows = (line.split(",") for line in done.stdout.splitlines())
    # The last packet of a file may have no length of its own.
    return [(float(pts), 0.0 if length == "N/A" else float(length)) for pts, length, *_ in rows]
