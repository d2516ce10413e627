"""What the benches share: a clip, an enrolled recorder without a dock in reach, its process, and what that costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

from device.identity import load_identity, provision
from device.spool import Spool
from dock.clock import SystemClock
from dock.enrolment import enrol, init
from dock.folder import DockFolder, Settings
from evidence.errors import DiscError
from evidence.io.durable import PosixDisc
from evidence.io.journal_store import Access, JournalStore
from evidence.journal import Entry
from evidence.model import ClockGrade, Officer
from sim.clock import SimClock

SOURCE = Path(__file__).parents[2] / "sim" / "media" / "bigbuckbunny.mp4"
DEVICE = "LH-000001"
OFFICER = Officer("330106-0457", "欧阳震华", "杭州市公安局西湖分局北山派出所")
CARD_BYTES = 1 << 40
CLIP_S = 30
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture size and what is spent on it."""

    width: int
    height: int
    bit_rate_bps: int
    frames_per_s: int = 30


PICTURES = {720: Picture(1280, 720, 3_000_000), 1080: Picture(1920, 1080, 6_000_000)}


def make_clip(picture: Picture) -> Path:
    """The clip of the simulator at this size and rate, long enough that its end is rare; made once."""
    folder = Path(gettempdir()) / "liuhen-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"clip-{picture.height}p{picture.frames_per_s}.mp4"
    if not path.exists():
        fresh = path.with_name(f"new-{path.name}")
        scale = f"scale={picture.width}:{picture.height}:flags=lanczos,fps={picture.frames_per_s}"
        call(
            "ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(SOURCE), "-t", str(CLIP_S), "-vf", scale,
            "-c:v", "libx264", "-preset", "fast", "-crf", "20", "-pix_fmt", "yuv420p", "-g", "60",
            "-c:a", "aac", "-ac", "2", "-ar", "48000", str(fresh),
        )  # fmt: skip
        fresh.replace(path)
    return path


def call(*command: str) -> None:
    """Run a command to its end; its errors are the bench's."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@dataclass(frozen=True, slots=True)
class Setup:
    """An enrolled recorder's folders, and the clip that it sees."""

    root: Path
    clip: Path
    picture: Picture

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def identity(self) -> Path:
        return self.root / "device" / "identity"

    @property
    def config(self) -> Path:
        return self.root / "device" / "recorder.toml"


def set_up(root: Path, picture: Picture) -> Setup:
    """Enrol a recorder at a dock that is not running."""
    setup = Setup(root, make_clip(picture), picture)
    disc, clock, folder = PosixDisc(), SystemClock(), DockFolder(root / "dock")
    init(folder, disc, clock, Settings("127.0.0.1", 1), "127.0.0.1", (), 1, as_root=False)
    request = provision(setup.identity, DEVICE, disc)
    enrolment = enrol(folder, disc, clock, request.read_bytes(), str(request), OFFICER)
    for name, content in enrolment.files.items():
        disc.replace(setup.identity / name, content)
    setup.config.write_text(
        'spool = "../spool"\nidentity = "identity"\n'
        f"[camera]\nwidth = {picture.width}\nheight = {picture.height}\n"
        f"frames_per_s = {picture.frames_per_s}\nbit_rate_bps = {picture.bit_rate_bps}\n"
    )
    return setup


@dataclass(slots=True)
class Meter:
    """What a process had spent by the time it had made so many frames."""

    points: list[tuple[float, int, float]] = field(default_factory=list)

    def take(self, pid: int, frames: int) -> None:
        """Note both, whenever the process says how far it is; a process that has just ended spent nothing more."""
        with suppress(FileNotFoundError, ProcessLookupError):
            self.points.append((time.monotonic(), frames, cpu_s(pid)))

    def cpu_per_frame_s(self, from_s: float) -> float:
        """CPU seconds per frame from a moment (monotonic) on."""
        counted = [point for point in self.points if point[0] >= from_s]
        return (counted[-1][2] - counted[0][2]) / (counted[-1][1] - counted[0][1])


@dataclass(slots=True)
class RunningRecorder:
    """The simulated recorder's process."""

    process: subprocess.Popen[str]
    began_s: float
    reading: dict[str, int] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    @property
    def pid(self) -> int:
        return self.process.pid

    def press(self, button: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": "press", "button": button}) + "\n")
        self.process.stdin.flush()

    def await_capture(self) -> None:
        """Return once pictures come and so somebody listens to the buttons."""
        while not self.reading.get("frames_captured"):
            if self.process.poll() is not None or time.monotonic() - self.began_s > READY_S:
                raise SystemExit("the recorder does not start")
            time.sleep(0.02)


@contextmanager
def running(setup: Setup) -> Iterator[RunningRecorder]:
    """The recorder, switched on; at the end it is switched off politely."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "sim.recorder_process", "--config", str(setup.config), "--video", str(setup.clip),
         "--card-bytes", str(CARD_BYTES)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=SOURCE.parents[2],
    )  # fmt: skip
    recorder = RunningRecorder(process, began_s)
    reader = threading.Thread(target=_read, args=(recorder,), daemon=True)
    reader.start()
    try:
        yield recorder
    finally:
        process.terminate()
        process.wait()
        reader.join()


def _read(recorder: RunningRecorder) -> None:
    assert recorder.process.stdout is not None
    for line in recorder.process.stdout:
        recorder.reading = json.loads(line)
        recorder.meter.take(recorder.pid, recorder.reading["frames_captured"])


def fresh_clock() -> SimClock:
    """The clocks of a boot that begins now."""
    return SimClock(uuid4().hex, 0, ClockGrade.NTP)


def open_spool(setup: Setup, root: Path, clock: SimClock, disc: PosixDisc | None = None) -> Spool:
    """A card of the recorder's, opened in this process."""
    identity = load_identity(setup.identity)
    card, certificates = disc or PosixDisc(), identity.certificates
    return Spool(root, identity.device, card, clock, identity.signer, certificates, identity.vault_key)


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """What a process holds in memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def entries(spool: Path, *kinds: str) -> list[Entry]:
    """Journal entries of these kinds; none while there is no journal."""
    try:
        with closing(JournalStore(spool / "journal.db", Access.READ)) as journal:
            return list(journal.of_kind(*kinds))
    except DiscError:
        return []


def verdict(name: str, value: float, limit: float, unit: str = "") -> str:
    """One line: a figure against what it may be."""
    word = "PASS" if value <= limit else "OVER"
    return f"{name}: {value:.4g}{unit} (at most {limit:g}{unit}) {word}"


def frames_of(found: list[Entry]) -> int:
    return sum(entry.fields["frames"] for entry in found)


def dropped(spool: Path) -> int:
    """Frames that the recorder was too slow to take."""
    return frames_of(entries(spool, "dropped"))
