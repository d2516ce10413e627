"""A Debian machine with systemd as its first process, made by mmdebstrap and booted by systemd-nspawn."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pi.units import BROKER, lay_out

SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The Debian whose Python is this one, so that its packages run there."""
PACKAGES = "systemd,systemd-sysv,dbus,python3,mosquitto,libatomic1,gpsd"
SOURCE = Path(__file__).parents[2]
PLACES = {SOURCE: "/opt/liuhen/source", Path(sysconfig.get_path("purelib")): "/opt/liuhen/site"}
LIUHEN = """\
#!/usr/bin/python3
import sys
sys.path[:0] = ["/opt/liuhen/source", "/opt/liuhen/site"]
from evidence.io.command import main
sys.exit(main())
"""
PATIENCE_S = 60


def build(root: Path) -> None:
    """A small Debian with our units, users and folders. About half a minute."""
    suite = SUITES[sys.version_info[:2]]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", suite, str(root)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)
    prepare(root)


def prepare(root: Path) -> None:
    """Install what a package of ours would install."""
    lay_out(root)
    program = root / "usr/bin/liuhen"
    program.write_text(LIUHEN)
    program.chmod(0o755)
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    # Debian starts its broker at once; here it begins when the dock has been made.
    (root / "etc/systemd/system/multi-user.target.wants" / BROKER).unlink(missing_ok=True)


class Machine:
    """One running machine."""

    def __init__(self, root: Path, log: Path, *more: str) -> None:
        """Boot `root`; what it says goes to `log`; `more` options are systemd-nspawn's."""
        self.root = root
        binds = [f"--bind-ro={source}:{target}" for source, target in PLACES.items()]
        options = ["--quiet", "--register=no", "--keep-unit", "--private-network", "--link-journal=no"]
        # Without these two, device rules are not enforced and a test of them could not fail (measured). And a machine
        # may ask its clock; a container may not.
        options.append("--system-call-filter=bpf adjtimex clock_adjtime")
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with log.open("w") as said:
            self.process = subprocess.Popen(
                ["systemd-nspawn", *options, *more, "--console=pipe", *binds, f"--directory={root}", "--boot"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self.leader = 0
        try:
            self.leader = self.await_that("the machine has a first process", self._leader)
            self.await_that("the machine is up", self._up)
        except AssertionError:
            self.end()
            raise

    def _up(self) -> bool:
        # Again: the first child that is seen may be the one that only sets the machine up, and ends.
        self.leader = self._leader() or self.leader
        # Not `is-system-running`: that waits for services, too, which are tried again and again.
        return self.ask("systemctl is-active multi-user.target") == "active"

    def _leader(self) -> int | None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def await_that(self, what: str, seen: Callable[[], Any]) -> Any:
        """Wait until it is so, and give what was seen."""
        patience = threading.Event()
        for _ in range(PATIENCE_S * 20):
            if found := seen():
                return found
            patience.wait(0.05)
        raise AssertionError(f"not within {PATIENCE_S} s: {what}")

    def ask(self, command: str) -> str:
        """What a shell command in the machine says, whatever its exit code."""
        return self._run(command).stdout.strip()

    def do(self, command: str) -> str:
        """As `ask`, for a command that has to go well."""
        done = self._run(command)
        assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout.strip()

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        entered = ["nsenter", f"--target={self.leader}", "-m", "-u", "-i", "-n", "-p", "-C", "--root", "--wd=/"]
        return subprocess.run([*entered, "sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        asked = " ".join(f"-p {name}" for name in names)
        return dict(line.split("=", 1) for line in self.do(f"systemctl show {asked} {unit}").splitlines())

    def said(self, unit: str) -> list[str]:
        """What a unit has written to the journal."""
        return self.ask(f"journalctl --no-pager -o cat -u {unit}").splitlines()

    def drop_in(self, unit: str, text: str) -> None:
        """Change a unit."""
        folder = self.root / "etc/systemd/system" / f"{unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text(text)

    def tell(self, path: str, **verb: Any) -> None:
        """A verb of the world to the simulated board behind this socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.sendto(json.dumps(verb).encode(), f"/proc/{self.leader}/root{path}")

    def end(self) -> None:
        """Pull the plug. The machine's processes end with its first one."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
