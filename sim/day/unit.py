"""The unit of a day: its dock's keys, its recorder's keys and enrolment, made by the code that people use."""

from __future__ import annotations

from pathlib import Path

from device.identity import provision
from dock.enrolment import choose_settings, enrol, init
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc, make_folder
from evidence.io.key_place import KeyPlace
from evidence.model import ClockGrade, Officer, Timestamp
from sim.day.chip import CAMERA

DEVICE = "LH-000001"
OFFICER = Officer("640221-0117", "张建国", "平罗县退役军人事务局")
DAWN_US = 1_795_564_800_000_000
"""2026-11-25 08:00 in China."""


class EveningBefore:
    """The dock's `Clock` while the unit is made: it stands still."""

    def now(self) -> Timestamp:
        """Half a day before the world begins."""
        return Timestamp(DAWN_US - 43_200_000_000, 480, ClockGrade.NTP, None, "0" * 32, 0)


def make_unit(out: Path, place: KeyPlace | None = None) -> None:
    """A dock and an enrolled recorder in an empty folder; `place` for a signing key in a token. Raises LiuhenError."""
    folder, disc, clock = DockFolder(out), PosixDisc(), EveningBefore()
    init(folder, disc, clock, choose_settings((), "127.0.0.1", 8883), "127.0.0.1", (), receivers=1, as_root=False)
    identity = out / "device" / "identity"
    request = provision(identity, DEVICE, disc, place)
    enrolment = enrol(folder, disc, clock, request.read_bytes(), str(request), OFFICER)
    for name, content in enrolment.files.items():
        disc.replace(identity / name, content)
    make_folder(out / "device")
    (out / "device" / "recorder.toml").write_text(
        'spool = "../spool"\nidentity = "identity"\n'
        f"[camera]\nwidth = {CAMERA.width}\nheight = {CAMERA.height}\n"
        f"frames_per_s = {CAMERA.frames_per_s}\nbit_rate_bps = {CAMERA.bit_rate_bps}\n"
    )
