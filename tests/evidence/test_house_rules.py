"""Rules of the house that no linter holds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "tests/requirements.lock")
LARGEST_FILE_BYTES = 5_000_000
LONGEST_MODULE_LINES = 350
MACHINE_PATH = re.compile(rb"(?<![\w.~})-])/(?:root|home|work)/")


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str) -> None:
    assert not re.findall(r"https?://\S*", (ROOT / lock).read_text())


def test_the_tests_run_on_the_pins_that_the_product_runs_on() -> None:
    product, tests = (set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert product - tests == set()


def test_no_file_is_too_large_to_clone() -> None:
    assert [path.name for path in tracked_files() if path.stat().st_size > LARGEST_FILE_BYTES] == []


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{line_number}"
        for path in tracked_files()
        for line_number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert named == []


def test_no_module_holds_two_ideas() -> None:
    modules = [path for room in ("evidence", "device", "dock", "sim") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in modules if len(path.read_text().splitlines()) >= LONGEST_MODULE_LINES] == []
