"""A fresh Debian of any suite and architecture to install into: made by mmdebstrap, entered by chroot.

A foreign architecture runs under qemu-user by the kernel's binfmt_misc.
"""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

SUITES = {"12": "bookworm", "13": "trixie"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
OWN = ARCHITECTURES.get(platform.machine(), "")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
QEMU = Path("/usr/bin/qemu-aarch64-static")
# An ELF file, 64 bit, little endian, for AArch64 (machine 183). F: it is opened now, so that a chroot needs none.
ARM64 = rf":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{QEMU}:F"  # noqa: E501  the kernel's syntax


def make_foreign_programs_run() -> None:
    """Let this kernel run arm64 programs. Skips the test where that is not to be had."""
    if OWN == "arm64" or (BINFMT / "qemu-aarch64").exists():
        return
    if not QEMU.exists():
        pytest.skip(f"{QEMU} is missing")
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True, timeout=60)
    (BINFMT / "register").write_text(ARM64)


def build_deb(debian: str, architecture: str, out: Path) -> Path:
    """What firmware_scripts/build-deb makes."""
    script = Path(__file__).parents[2] / "firmware_scripts/build-deb"
    command = [str(script), "--arch", architecture, "--debian", debian, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


# Debian's own apt, in it. Under qemu that would take minutes, and this machine's apt does it from outside.
INSTALL = {
    True: ("ca-certificates", 'chroot "$1" apt-get install -q -y --no-install-recommends /liuhen.deb'),
    False: (
        "openssl",
        'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install -q -y --no-install-recommends '
        '-oDPkg::Chroot-Directory="$1" "$1/liuhen.deb"',
    ),
}


def fresh_with(deb: Path, debian: str, architecture: str, root: Path) -> None:
    """A minimal Debian into which `apt install ./DEB` has been done, and nothing else."""
    if architecture != OWN:
        make_foreign_programs_run()
    needed, install = INSTALL[architecture == OWN]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={architecture}", f"--include={needed}"]
    hooks = (f'cp "{deb}" "$1/liuhen.deb"', install, 'rm "$1/liuhen.deb"')
    done = subprocess.run(
        [*command, *(f"--customize-hook={hook}" for hook in hooks), SUITES[debian], str(root)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def enter(root: Path, command: str, timeout_s: int = 600) -> subprocess.CompletedProcess[str]:
    """Run a shell command as root of `root`, with the kernel's processes and devices. What it mounts goes with it."""
    mounted = (
        f'mount -t proc proc "{root}/proc" && mount --rbind /dev "{root}/dev" && exec chroot "{root}" /bin/sh -c "$0"'
    )
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", mounted, command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
    )


def do(root: Path, command: str) -> str:
    """As `enter`, for a command that has to go well."""
    done = enter(root, command)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
    return done.stdout.strip()
