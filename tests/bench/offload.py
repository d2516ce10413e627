"""Offload of a spool over TLS, hashes, signatures and fsyncs included, against rsync over ssh and against bare paho.

Every way moves the same segments on the same disc, in turn. See README.md.
"""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from device.capture.muxer import MediaFragment
from device.config import UplinkConfig
from device.identity import load_identity, provision
from device.spool import Spool
from dock.folder import DockFolder
from evidence.certificates import Trust
from evidence.io.durable import PosixDisc
from evidence.io.verify_files import verify_path
from evidence.model import ClockGrade, FragmentInfo, segment_id
from evidence.verify import Verdict
from sim.clock import SimClock
from sim.processes import find_mosquitto, free_port, liuhen

DEVICE = "LH-000001"
FRAGMENTS = 60
FRAGMENT_BYTES = (375_000, 750_000)
"""Two seconds at 1.5 and 3 Mbit/s: what a segment's fragments weigh, in turn."""
INIT_BYTES = 1_200
TARGETS = {"rsync": 1.0, "paho": 0.6}
SAMPLE_S = 0.05
ENDS = Path(__file__).with_name("offload_ends.py")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True)
class Weight:
    """What one process used during a transfer."""

    cpu_s: float
    peak_mb: float
    growth_mb: float
    """By a straight line through the second half of the samples, over that half."""


@dataclass(frozen=True)
class Run:
    seconds: float
    weights: Mapping[str, Weight]


class Scales:
    """Weighs processes while the block lasts."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._samples: dict[str, list[float]] = {name: [] for name in pids}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.weights: dict[str, Weight] = {}

    def __enter__(self) -> Scales:
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for name, pid in self._pids.items():
            samples = self._samples[name]
            self.weights[name] = Weight(cpu_s(pid) - self._before[name], max(samples), growth(samples))

    def _sample(self) -> None:
        while True:
            for name, pid in self._pids.items():
                resident = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
                self._samples[name].append(int(resident) * PAGE_MB)
            if self._over.wait(SAMPLE_S):
                return


def cpu_s(pid: int) -> float:
    """Of the process and of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_S


def growth(samples: Sequence[float]) -> float:
    half = samples[len(samples) // 2 :]
    if len(half) < 2:
        return 0.0
    slope, _ = statistics.linear_regression(range(len(half)), half)
    return slope * len(half)


class End:
    """A process of offload_ends.py."""

    def __init__(self, role: str, **options: object) -> None:
        given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen(
            [sys.executable, str(ENDS), role, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._hear()

    def go(self) -> float:
        """Let it begin; how many seconds it took."""
        self.say()
        return float(self._hear())

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.say()
        self.process.wait(30)

    def _hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("an end has died; its words are above")
        return line


class Bench:
    """One spool, one dock's keys, and the ways to move the one to the other."""

    def __init__(self, folder: Path, megabytes: int, window: int) -> None:
        self.folder = folder
        self.window = window
        self.identity = folder / "identity"
        self.spool = folder / "spool"
        self.dock = DockFolder(folder / "dock")
        self._pristine = folder / "dock.pristine"
        self._logs = (folder / "log").open("w")
        self.port = free_port()
        request = provision(self.identity, DEVICE, PosixDisc())
        self._run(liuhen("dock", "init", str(self.dock.root), "--port", str(self.port)))
        self._run(liuhen("dock", "enrol", str(self.dock.root), str(request), "--out", str(self.identity)))
        shutil.copytree(self.dock.root, self._pristine)
        self.segments = self._fill(megabytes * 1_000_000)
        self.bytes = sum(path.stat().st_size for path in (self.spool / "segments").iterdir())

    def ours(self) -> Run:
        """Spool to vault with the real processes; the vault is verified afterwards."""
        for receipt in (self.spool / "receipts").iterdir():
            receipt.unlink()
        self._fresh(self.dock.root, self._pristine)
        with ExitStack() as stack:
            broker = stack.enter_context(self._broker())
            receiver = stack.enter_context(self._started(liuhen("dock", "run", str(self.dock.root))))
            await_line(receiver, "ready")
            end = End("offload", spool=self.spool, identity=self.identity, window=self.window)
            stack.callback(end.close)
            pids = {"uplink": end.process.pid, "broker": broker.pid, "receiver": receiver.pid}
            with Scales(pids) as scales:
                seconds = end.go()
        report = verify_path(self.dock.vault, Trust(self.dock.ca_certificate.read_bytes(), "ca.pem"))
        if report.verdict is not Verdict.AUTHENTIC or report.segments != self.segments:
            raise SystemExit(f"the vault is {report.verdict} with {report.segments} segments: {report.first}")
        return Run(seconds, scales.weights)

    def paho(self) -> Run:
        """The same bytes through the same broker, and nothing done with them."""
        self._fresh(self.dock.root, self._pristine)
        with ExitStack() as stack:
            broker = stack.enter_context(self._broker())
            there = End("subscribe", dock=self.dock.root, device=DEVICE)
            stack.callback(there.close)
            there.say()
            here = End("publish", spool=self.spool, identity=self.identity, window=self.window)
            stack.callback(here.close)
            pids = {"publisher": here.process.pid, "broker": broker.pid, "subscriber": there.process.pid}
            with Scales(pids) as scales:
                seconds = here.go()
        return Run(seconds, scales.weights)

    def rsync(self, *options: str) -> Run:
        """Over ssh with its default ciphers."""
        target = self.folder / "rsynced"
        self._fresh(target)
        with self._sshd() as (server, ssh):
            began = time.perf_counter()
            command = ["rsync", "-a", *options, "-e", ssh, f"{self.spool}/segments/", f"127.0.0.1:{target}/"]
            client = subprocess.Popen(command)
            _, status, used = os.wait4(client.pid, 0)
            seconds = time.perf_counter() - began
            client.returncode = os.waitstatus_to_exitcode(status)
            if client.returncode:
                raise SystemExit("rsync failed")
            time.sleep(0.3)
            weights = {"client": used.ru_utime + used.ru_stime, "server": cpu_s(server.pid)}
        return Run(seconds, {name: Weight(cpu, 0, 0) for name, cpu in weights.items()})

    def clear(self) -> None:
        """Leave the next way no dirty pages."""
        shutil.rmtree(self.folder / "rsynced", ignore_errors=True)
        self._fresh(self.dock.root, self._pristine)

    def _fill(self, wanted_bytes: int) -> int:
        """Sealed segments of random bytes, and the number of them."""
        mine = load_identity(self.identity)
        clock = SimClock(uuid.uuid4().hex, 480, ClockGrade.NTP)
        epoch = clock.now()
        spool = Spool(self.spool, DEVICE, PosixDisc(), clock, mine.signer, mine.certificates, mine.vault_key)
        spool.note("journal_opened", software="bench")
        number, filled_bytes, pts_us = 0, 0, 0
        while filled_bytes < wanted_bytes:
            number += 1
            name, recording = segment_id(epoch.boot, number), f"{epoch.boot[:12]}-r0001"
            state = spool.open_segment(name, recording, mine.officer(), os.urandom(INIT_BYTES), epoch)
            for index in range(FRAGMENTS):
                data = os.urandom(FRAGMENT_BYTES[number % 2] + index * 997 % 20_000)
                spool.append(state, MediaFragment(data, FragmentInfo(pts_us, 1_000_000, 30, 48_000), 0))
                pts_us += 1_000_000
                if filled_bytes + state.stored_bytes >= wanted_bytes:
                    break
            spool.seal(state, "continued")
            filled_bytes += state.stored_bytes
        spool.close()
        return number

    def _fresh(self, folder: Path, pristine: Path | None = None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if pristine is not None:
            shutil.copytree(pristine, folder)
        os.sync()

    def _run(self, command: Sequence[str]) -> None:
        subprocess.run(command, check=True, stdout=self._logs)

    @contextmanager
    def _started(self, command: Sequence[str], folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=self._logs, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    @contextmanager
    def _broker(self) -> Iterator[subprocess.Popen[str]]:
        with self._started([find_mosquitto(), "-c", "mosquitto.conf"], self.dock.broker) as broker:
            await_port(self.port)
            yield broker

    @contextmanager
    def _sshd(self) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Our own server with throwaway keys, and the client's command."""
        keys, port = self.folder / "ssh", free_port()
        if not keys.exists():
            keys.mkdir(mode=0o700)
            for name in ("host", "user"):
                self._run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)])
            known = (keys / "host.pub").read_text("ascii")
            (keys / "known").write_text(f"bench {known}")
        # sshd as root insists on this folder.
        if getpass.getuser() == "root":
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        options = {
            "Port": port, "ListenAddress": "127.0.0.1", "HostKey": keys / "host", "PidFile": "none",
            "AuthorizedKeysFile": keys / "user.pub", "StrictModes": "no", "UsePAM": "no", "LogLevel": "ERROR",
        }  # fmt: skip
        given = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if sshd is None:
            raise SystemExit("sshd is missing: apt install openssh-server")
        with self._started([sshd, "-D", "-e", "-f", "/dev/null", *given]) as server:
            await_port(port)
            client = (
                f"ssh -F none -p {port} -i {keys / 'user'} -o IdentitiesOnly=yes -o HostKeyAlias=bench "
                f"-o UserKnownHostsFile={keys / 'known'} -o BatchMode=yes"
            )
            yield server, client


def await_line(process: subprocess.Popen[str], word: str) -> None:
    lines: IO[str] | None = process.stdout
    assert lines is not None
    if not any(word in line for line in lines):
        raise SystemExit(f"died before it was {word}")


def await_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


def show(name: str, runs: Sequence[Run], megabytes: float) -> None:
    speeds = [megabytes / run.seconds for run in runs]
    print(f"{name}: {statistics.median(speeds):.0f} MB/s median of {', '.join(f'{speed:.0f}' for speed in speeds)}")
    for process in runs[0].weights:
        weights = [run.weights[process] for run in runs]
        cpu = statistics.median(weight.cpu_s for weight in weights) / megabytes * 1000
        peak = max(weight.peak_mb for weight in weights)
        memory = f", RSS peak {peak:.0f} MB, growth {statistics.median(w.growth_mb for w in weights):+.1f} MB"
        print(f"    {process:<10} {cpu:5.2f} CPU s/GB{memory if peak else ''}")


def show_ratio(peer: str, ours: Sequence[Run], theirs: Sequence[Run]) -> None:
    """The median of the rounds' own ratios, so that what disturbs one round disturbs both."""
    ratio = statistics.median(their.seconds / our.seconds for our, their in zip(ours, theirs, strict=True))
    target = TARGETS.get(peer)
    verdict = "" if target is None else f"  {'PASS' if ratio >= target else 'under'}, target {target}"
    print(f"ours / {peer}: {ratio:.2f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1000, help="how much to offload (1000; 200 for a quick look)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=int, default=UplinkConfig().window, help="parts under way")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on the disc to measure (/var/tmp)")
    parser.add_argument("--only", action="append", choices=("ours", "rsync", "rsync --fsync", "paho"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="liuhen-offload-", dir=given.folder) as folder:
        bench = Bench(Path(folder), given.mb, given.window)
        ways: dict[str, Callable[[], Run]] = {
            "ours": bench.ours,
            "rsync": bench.rsync,
            "paho": bench.paho,
            "rsync --fsync": partial(bench.rsync, "--fsync"),
        }
        runs: dict[str, list[Run]] = {name: [] for name in given.only or ways}
        print(f"{bench.bytes / 1e6:.0f} MB in {bench.segments} segments, {given.rounds} rounds, window {given.window}")
        for _ in range(given.rounds):
            for name, done in runs.items():
                done.append(ways[name]())
                bench.clear()
        for name, done in runs.items():
            show(name, done, bench.bytes / 1e6)
        for name, done in runs.items():
            if name != "ours" and "ours" in runs:
                show_ratio(name, runs["ours"], done)


if __name__ == "__main__":
    main()
