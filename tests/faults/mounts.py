"""Discs that can lose their power: made, mounted and cleaned up as root, in a mount namespace of their own."""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
MKFS = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-J", "size=4"]


class NoRootError(Exception):
    """These proofs mount file systems."""


def prove(module: str, *arguments: str | int, timeout_s: float = 290) -> dict[str, Any]:
    """Run one of this folder's proofs as root, where its mounts end with it, and give what it found."""
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", "-m", f"tests.faults.{module}"]
    command += [str(argument) for argument in arguments]
    if os.geteuid() != 0:
        if subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode:
            raise NoRootError(
                "the power cuts mount file systems: run the tests as root, or where sudo needs no password"
            )
        command = ["sudo", "-n", *command]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        raise AssertionError(f"{module} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{command}: {done.stderr.strip()}")


def wait(seconds: float) -> None:
    """Real time: the power does not go by any clock of ours."""
    select.select([], [], [], seconds)


def unmount(target: Path) -> None:
    """What still uses it, such as a process that has just been killed, is given a moment."""
    for _ in range(500):
        if subprocess.run(["umount", str(target)], check=False, capture_output=True).returncode == 0:
            return
        wait(0.01)
    raise OSError(f"{target} cannot be unmounted")


def mount(image: Path, target: Path, options: str = "") -> None:
    target.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", f"loop,{options}" if options else "loop", image, target)


@contextmanager
def mounted(image: Path, target: Path, options: str = "") -> Iterator[Path]:
    mount(image, target, options)
    try:
        yield target
    finally:
        unmount(target)


def repair(image: Path) -> None:
    """What a machine does at its start with a file system that cannot be mounted: one with half a superblock."""
    done = subprocess.run(["e2fsck", "-fy", str(image)], check=False, capture_output=True, text=True)
    if done.returncode & ~1:
        raise OSError(f"{image} cannot be repaired: {done.stdout.strip()}")


def cut_power(mounted_at: Path) -> None:
    """Nothing that is not on the disc by now will ever be there: no page, no open transaction."""
    opened = os.open(mounted_at, os.O_RDONLY)
    try:
        fcntl.ioctl(opened, EXT4_IOC_SHUTDOWN, struct.pack("<I", NO_LOG_FLUSH))
    finally:
        os.close(opened)


def make_ext4(image: Path, size_mb: int) -> None:
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    run(*MKFS, image)
