"""One shift as the world sees it: broker, dock and recorder are started, and the scenario happens to them."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from device.identity import provision
from device.interruptions import Reason
from device.ports import Press
from dock.clock import SystemClock
from dock.enrolment import enrol
from dock.folder import DockFolder
from evidence.errors import ConfigError, DiscError, LinkError
from evidence.io.durable import PosixDisc, make_folder
from evidence.io.journal_store import Access, JournalStore
from evidence.model import ClockGrade, Officer
from sim.clock import SimClock
from sim.processes import Process, await_port, find_mosquitto, free_port, liuhen
from sim.scenario import Scenario
from sim.steps import (
    Answer,
    BrokerKill,
    By,
    CameraHang,
    ClockStep,
    Dock,
    DockKill,
    MicrophoneUnplug,
    PowerCut,
    PressButton,
    Step,
    Tamper,
    Undock,
)

DEVICE = "LH-000001"
OFFICER = Officer("640221-0117", "张建国", "平罗县退役军人事务局")
CARD_HOURS = 4
"""Half of what a recorder wants free for its next shift, so that it frees everything the dock has."""
POLL_S = 0.2
READY_S = 20.0
OFFLOAD_LIMIT_S = 120.0
TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What the simulated recorder sees, and where everything lies."""

    out: Path
    video: Path
    width: int
    height: int
    seconds: float


@dataclass(slots=True)
class Readings:
    """What the recorder processes said of themselves, over all boots."""

    past: dict[str, int] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """One line of the running recorder."""
        self.latest = json.loads(line)

    def end_of_boot(self) -> None:
        """Counts add up over boots; a peak is the highest of them."""
        for name, value in self.latest.items():
            before = self.past.get(name, 0)
            self.past[name] = max(before, value) if name.endswith("_peak_bytes") else before + value
        self.latest = {}


class Shift:
    """The world of one shift. As a context manager it ends every process that it started."""

    def __init__(self, setting: Setting, say: Callable[[float, str], None]) -> None:
        """`say` gets the time since the beginning in seconds and a line about what happens."""
        self.setting = setting
        self.readings = Readings()
        self._say = say
        self._clock = SimClock(uuid.uuid4().hex, 0, ClockGrade.NTP)
        self._never = threading.Event()
        self._logs = setting.out / "logs"
        self._processes = ExitStack()
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._port = free_port()
        self.folder = DockFolder(setting.out)
        self.spool = setting.out / "spool"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.close()

    def prepare(self) -> None:
        """Make the dock, the recorder's keys and its enrolment, with the commands that people use. LiuhenError."""
        make_folder(self._logs)
        out = self.setting.out
        self._say_now("制作站点证书 the dock makes its keys and the broker's configuration")
        self._once("init", liuhen("dock", "init", str(out), "--port", str(self._port)))
        self._enrol(out / "device" / "identity")
        config = out / "device" / "recorder.toml"
        self._configure(config)
        self.broker = self._process("broker", [find_mosquitto(), "-c", "mosquitto.conf"], self.folder.broker)
        self.dock = self._process("dock", liuhen("dock", "run", str(out)))
        self.recorder = self._process("recorder", self._recorder_command(config))
        self._station_on()

    def _enrol(self, identity: Path) -> None:
        request = provision(identity, DEVICE, PosixDisc())
        self._say_now(f"注册 enrol {DEVICE}: {OFFICER.name} {OFFICER.number} {OFFICER.unit}")
        enrolment = enrol(self.folder, PosixDisc(), SystemClock(), request.read_bytes(), str(request), OFFICER)
        for name, content in enrolment.files.items():
            PosixDisc().replace(identity / name, content)

    def _configure(self, config: Path) -> None:
        width, height = self.setting.width, self.setting.height
        config.write_text(
            'spool = "../spool"\nidentity = "identity"\n'
            f"[camera]\nwidth = {width}\nheight = {height}\nbit_rate_bps = {bit_rate_bps(width, height)}\n"
        )

    def _recorder_command(self, config: Path) -> list[str]:
        room_bytes = card_bytes(self.setting.width, self.setting.height)
        arguments = {"--config": config, "--video": self.setting.video, "--card-bytes": room_bytes}
        python = liuhen()[0]
        return [python, "-m", "sim.recorder_process", *(str(one) for pair in arguments.items() for one in pair)]

    def _station_on(self) -> None:
        self.broker.start()
        await_port(self._port, self.broker, self._wait)
        self.dock.start()

    def run(self, scenario: Scenario) -> None:
        """Switch the recorder on and let the scenario happen. Raises LiuhenError when a process dies by itself."""
        self._power_on()
        start_us = self._clock.boot_us()
        for step in scenario.steps:
            while (left_s := step.at_s - (self._clock.boot_us() - start_us) / 1e6) > 0:
                self._wait(min(left_s, TICK_S))
                self._do_what_is_due()
                self._progress()
            self._say_now(step.text())
            VERBS[type(step)](self, step)
        self._do_what_is_due(everything=True)

    def await_offload(self) -> None:
        """Return when every sealed segment has its receipt and what the card wants free is free. LinkError."""
        waited_s = 0.0
        while (waiting := self._waiting()) and waited_s < OFFLOAD_LIMIT_S + self.setting.seconds:
            self.recorder.check()
            self.dock.check()
            self._wait(POLL_S)
            waited_s += POLL_S
        if waiting:
            raise LinkError("offload", f"{', '.join(sorted(waiting))} not received and freed after {waited_s:.0f} s")
        self._say_now("卸载完成 offloaded: every segment has its receipt")

    def finish(self) -> None:
        """Switch everything off, politely. Raises LiuhenError when something does not end well."""
        self.recorder.stop()
        self.readings.end_of_boot()
        self.dock.stop()
        self.broker.stop()

    def stay(self) -> None:
        """Switch everything on again and keep it running until a person has seen enough (Ctrl-C); then end it well."""
        try:
            self._station_on()
            self._power_on()
            self._say_now(f"继续运行 running on in {self.setting.out}; Ctrl-C ends it")
            while True:
                self._wait(TICK_S)
                for process in (self.broker, self.dock, self.recorder):
                    process.check()
        except KeyboardInterrupt:
            self.finish()
            raise

    def now_s(self) -> float:
        """Seconds since this world began."""
        return self._clock.boot_us() / 1e6

    def _press(self, step: PressButton) -> None:
        self.recorder.tell(do="press", button=step.button)

    def _answer(self, step: Answer) -> None:
        """Nobody answers before being asked."""
        waited_s = 0.0
        while count_entries(self.spool, "reason_asked") <= count_entries(self.spool, "reason") and waited_s < READY_S:
            self.recorder.check()
            self._do_what_is_due()
            self._wait(POLL_S)
            waited_s += POLL_S
        for _ in range(list(Reason).index(step.reason) + 1):
            self.recorder.tell(do="press", button=Press.MARK)

    def _dock(self, _step: Dock) -> None:
        self.recorder.tell(do="dock")

    def _undock(self, _step: Undock) -> None:
        self.recorder.tell(do="undock")

    def _step_clock(self, step: ClockStep) -> None:
        self.recorder.tell(do="clock_step", by_s=step.by_s, grade=step.grade)

    def _cut_power(self, step: PowerCut) -> None:
        self.recorder.kill()
        self.readings.end_of_boot()
        self._wait(step.off_s)
        self._power_on()

    def _kill_broker(self, step: BrokerKill) -> None:
        self.broker.kill()
        self._in(step.off_s, self.broker.start)

    def _kill_dock(self, step: DockKill) -> None:
        self.dock.kill()
        self._in(step.off_s, self.dock.start)

    def _hang_camera(self, step: CameraHang) -> None:
        self.recorder.tell(do="camera_hang")
        self._in(step.for_s, lambda: self.recorder.tell(do="camera_recover"))

    def _unplug_microphone(self, step: MicrophoneUnplug) -> None:
        self.recorder.tell(do="microphone_unplug")
        self._in(step.for_s, lambda: self.recorder.tell(do="microphone_plug"))

    def _open_case(self, step: Tamper) -> None:
        self.recorder.tell(do="press", button=Press.CASE_OPENED)
        self._in(step.for_s, lambda: self.recorder.tell(do="press", button=Press.CASE_CLOSED))

    def _power_on(self) -> None:
        """Switch the recorder on and wait until it listens to its buttons."""
        self._say_now("开机 power on")
        before = count_entries(self.spool, "power_on")
        self.recorder.start(self.readings.take)
        waited_s = 0.0
        while count_entries(self.spool, "power_on") == before or not self.readings.latest.get("frames_captured"):
            self.recorder.check()
            if waited_s > READY_S:
                raise LinkError("recorder", f"is not ready after {READY_S:.0f} s", f"see {self._logs}")
            self._wait(0.05)
            waited_s += 0.05

    def _waiting(self) -> set[str]:
        """Segments that are sealed and not received, or received and not freed although room is wanted."""
        with closing(JournalStore(self.spool / "journal.db", Access.READ)) as journal:
            sealed, released = journal.segments_with("segment"), journal.segments_with("released")
            docked = journal.last_of_kind("docked", "undocked")
        running = docked is None or docked.kind == "undocked"
        return {"the dock"} if running else sealed - released

    def _process(self, name: str, command: list[str], folder: Path | None = None) -> Process:
        process = Process(name, command, self._logs / f"{name}.log", folder)
        self._processes.callback(process.kill)
        return process

    def _once(self, name: str, command: list[str]) -> None:
        process = self._process(name, command)
        process.start()
        process.wait()

    def _in(self, seconds: float, call: Callable[[], None]) -> None:
        self._later.append((self.now_s() + seconds, call))

    def _do_what_is_due(self, everything: bool = False) -> None:
        due = [one for one in self._later if everything or one[0] <= self.now_s()]
        self._later = [one for one in self._later if one not in due]
        for at_s, call in due:
            self._wait(max(0.0, at_s - self.now_s()))
            call()

    def _progress(self) -> None:
        frames = self.readings.past.get("frames_captured", 0) + self.readings.latest.get("frames_captured", 0)
        self._say(self.now_s(), f"\r{frames} 帧 frames captured")

    def _say_now(self, text: str) -> None:
        self._say(self.now_s(), text)

    def _wait(self, seconds: float) -> None:
        self._clock.wait_until(self._clock.boot_us() + round(seconds * 1e6), self._never)


def count_entries(spool: Path, kind: str) -> int:
    """How many entries of this kind the recorder has journalled; none while it is only just making its journal."""
    path = spool / "journal.db"
    if not path.exists():
        return 0
    try:
        with closing(JournalStore(path, Access.READ)) as journal:
            return sum(1 for _ in journal.of_kind(kind))
    except DiscError:
        return 0


def bit_rate_bps(width: int, height: int) -> int:
    """About what a body-worn camera spends on a picture of this size: 3 Mbit/s at 720p, 6 Mbit/s at 1080p."""
    reference: Mapping[bool, tuple[int, int]] = {True: (3_000_000, 1280 * 720), False: (6_000_000, 1920 * 1080)}
    rate_bps, pixels = reference[width * height <= 1280 * 720]
    return max(300_000, rate_bps * width * height // pixels)


def card_bytes(width: int, height: int) -> int:
    """A card that holds some hours of this picture."""
    return CARD_HOURS * 3600 * bit_rate_bps(width, height) // 8


VERBS: Mapping[type[Step], Callable[[Shift, Any], None]] = {
    PressButton: Shift._press,
    Answer: Shift._answer,
    Dock: Shift._dock,
    Undock: Shift._undock,
    ClockStep: Shift._step_clock,
    PowerCut: Shift._cut_power,
    BrokerKill: Shift._kill_broker,
    DockKill: Shift._kill_dock,
    CameraHang: Shift._hang_camera,
    MicrophoneUnplug: Shift._unplug_microphone,
    Tamper: Shift._open_case,
}
"""What can happen in real time."""


def refuse_what_needs_a_fast_world(scenario: Scenario) -> None:
    """Raises ConfigError for the first step that only the accelerated world knows."""
    for step in scenario.steps:
        if type(step) not in VERBS or (isinstance(step, Answer) and step.by is not By.BUTTONS):
            what = f"needs the accelerated world: {step.text()}"
            raise ConfigError(f"scenario {scenario.title!r}", what, "add --fast")
