"""Our tests on arm64: in the Debian with our package, by qemu-user, with the packages that a Pi would have.

Not all of them, for this takes ten times as long: those of what both ends agree on (bytes, signatures, numbers), and of
capture, spool and recovery, which is where another processor could make another thing of the same code.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pi.debian import enter

SOURCE = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
RUNNERS = ("pytest", "pytest-timeout", "hypothesis", "joserfc")
SUITE = (
    "tests/evidence",
    "tests/regimes",
    "tests/device/test_muxer.py",
    "tests/device/test_encoder.py",
    "tests/device/test_overlay.py",
    "tests/device/test_spool.py",
    "tests/device/test_recovery.py",
    "tests/device/test_sound.py",
)
# They ask git about the sources, start a broker, or play a file with ffprobe, none of which is there.
NOT_HERE = (
    "tests/evidence/test_house_rules.py",
    "tests/evidence/test_link.py",
    "tests/device/test_muxer.py::test_any_run_of_fragments_behind_init_plays_alone",
    "tests/device/test_recovery.py::test_a_cut_at_every_byte_of_the_tail_loses_nothing",
)
FEWEST = 1600

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the Debian has this Python"),
]


def lay_out(root: Path) -> None:
    """The sources, and what runs tests, into /opt."""
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=SOURCE, check=True, capture_output=True, text=True
    )
    for name in tracked.stdout.splitlines():
        if (SOURCE / name).is_file():
            (root / "opt/source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, root / "opt/source" / name)
    board = ("--python-platform=aarch64-manylinux_2_36", "--python-version=3.11", "--only-binary=:all:")
    pinned = ("--constraint", str(SOURCE / "tests/requirements.lock"), f"--target={root}/opt/runners")
    subprocess.run([UV, "pip", "install", "--quiet", "--no-config", *board, *pinned, *RUNNERS], check=True, timeout=300)


def test_the_same_tests_pass_on_arm64(debians: Callable[[str, str], tuple[Path, Path]]) -> None:
    root, _ = debians("12", "arm64")
    lay_out(root)
    ignored = " ".join(f"--deselect={name}" for name in NOT_HERE)
    python = "PYTHONPATH=/opt/source:/opt/runners PYTHONDONTWRITEBYTECODE=1 /usr/lib/liuhen/bin/python3 -s"
    suite = f"-m pytest -q -p no:cacheprovider -m 'not long' --timeout=1200 {ignored} {' '.join(SUITE)}"
    done = enter(root, f"cd /opt/source && {python} {suite}", timeout_s=3000)
    print(done.stdout[-3000:])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= FEWEST
