"""What is given to others is whole: sdist and wheel hold every file, and the wheel runs alone.

And every package that it stands on is to be had for a Raspberry Pi.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2]
ROOMS = ("evidence", "device", "dock", "sim")
FOR_PEOPLE_IN_THE_SOURCE = {"sim/run", "sim/setup.sh"}
PYTHONS = ("3.11", "3.13")
"""Those of Raspberry Pi OS 12 and 13."""
FROM_DEBIAN = ("pyaudio==0.2.14", "python-prctl==1.8.1")
"""They exist only as source: a board has them, or what needs them, from apt."""
UV = Path(sys.executable).with_name("uv")
DEVICE = "LH-000001"


def tracked(*folders: str) -> set[str]:
    listing = subprocess.run(["git", "ls-files", *folders], cwd=SOURCE, check=True, capture_output=True, text=True)
    return {name for name in listing.stdout.splitlines() if (SOURCE / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist and from nothing else."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    for name in tracked(*ROOMS, "pyproject.toml", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, source / name)
    build = f"from setuptools import build_meta as build; build.build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=120)
    (sdist,) = folder.glob("*.tar.gz")
    wheel = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={folder}", str(sdist)]
    subprocess.run([sys.executable, "-m", "pip", *wheel], check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def liuhen(built: Path) -> Path:
    """The command of a bare environment that has the wheel, and sees the packages but not the sources."""
    bare = built / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True, timeout=60)
    (wheel,) = built.glob("*.whl")
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--no-deps", "--offline", f"--python={bare}/bin/python", wheel],
        check=True,
        timeout=60,
    )
    site = next((bare / "lib").glob("python*/site-packages"))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bare / "bin/liuhen"


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": ""}
    folder = program.parent
    command = [program, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_wheel_holds_every_file_of_every_room(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert tracked(*ROOMS) - FOR_PEOPLE_IN_THE_SOURCE - held == set()
    assert {name for name in held if not name.startswith((*ROOMS, "liuhen-"))} == set()


def test_the_sdist_holds_every_file_of_every_room(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked(*ROOMS, "LICENSE", "README.md", "pyproject.toml") - FOR_PEOPLE_IN_THE_SOURCE - held == set()


def test_every_command_of_the_wheel_explains_itself(liuhen: Path) -> None:
    whole = run(liuhen, "--help")
    assert (whole.returncode, whole.stderr) == (0, "")
    for room in ("verify", "account", "regimes", "device", "health", "dock", "sim"):
        assert room in whole.stdout
        assert run(liuhen, room, "--help").returncode == 0


def test_the_wheel_tells_the_health_of_a_recorder_that_it_has_made(liuhen: Path, tmp_path: Path) -> None:
    for command in (
        ("dock", "init", tmp_path / "dock"),
        ("device", "provision", tmp_path / "identity", "--id", DEVICE),
        ("dock", "enrol", tmp_path / "dock", tmp_path / "identity/request.pem", "--out", tmp_path / "identity"),
    ):
        done = run(liuhen, *command)
        assert done.returncode == 0, done.stderr
    config = tmp_path / "recorder.toml"
    config.write_text('spool = "spool"\nidentity = "identity"\n')
    (tmp_path / "spool").mkdir()
    told = run(liuhen, "health", "--config", config, "--json")
    assert told.stderr == ""
    assert json.loads(told.stdout)["device"] == DEVICE


def test_the_wheel_has_its_voice_and_its_film(liuhen: Path) -> None:
    """A self-test on simulated hardware takes the film, the font, the voice and the codec out of the packages."""
    done = run(liuhen, "sim", "--self-test")
    # Whether this machine is quick enough is not the question.
    assert re.search(r"test recording +ok +authentic", done.stdout), done.stdout + done.stderr


def resolve(python: str, *wanted: str | Path) -> subprocess.CompletedProcess[str]:
    """Whether wheels of all that is wanted are to be had for a Pi with this Python. Downloads none of them."""
    how = ("--quiet", "--dry-run", "--no-config", "--no-deps", "--target=nowhere")
    board = ("--only-binary=:all:", "--python-platform=aarch64-manylinux_2_36", f"--python-version={python}")
    command = [UV, "pip", "install", *how, *board, *wanted]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_pinned_package_has_a_build_for_a_pi(python: str) -> None:
    done = resolve(python, "--require-hashes", "-r", SOURCE / "requirements.lock")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("package", FROM_DEBIAN)
def test_a_package_without_a_build_would_be_seen(package: str) -> None:
    done = resolve(PYTHONS[0], package)
    assert done.returncode != 0
    assert "no wheels" in done.stderr or "no usable wheels" in done.stderr
