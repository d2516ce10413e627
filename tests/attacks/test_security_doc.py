"""docs/SECURITY.md promises nothing that no test shows, and the table of attacks is as long as it should be."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.findall(r"`(test_[a-z0-9_]+(?:\[[^\]`]*\])?)`", (ROOT / "docs" / "SECURITY.md").read_text())
HERE = "tests/attacks/"
ATTACKS_AT_LEAST = 60


@cache
def collected(files: tuple[str, ...]) -> tuple[str, ...]:
    """Files and names of all tests, with their cases."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(line for line in listed.splitlines() if "::" in line)


def files_of(names: list[str]) -> tuple[str, ...]:
    """Where tests of these names are written."""
    functions = {f"def {name.partition('[')[0]}(" for name in names}
    found = {path for path in (ROOT / "tests").rglob("test_*.py") if any(one in path.read_text() for one in functions)}
    return tuple(sorted(str(path.relative_to(ROOT)) for path in found))


def test_every_test_that_is_named_exists() -> None:
    cases = {line.partition("::")[2] for line in collected(files_of(NAMED))}
    functions = {case.partition("[")[0] for case in cases}
    assert [name for name in NAMED if name not in cases | functions] == []


def test_there_are_as_many_attacks_as_there_should_be() -> None:
    attacks = [one for one in collected(files_of(NAMED)) if one.startswith(HERE) and "test_security_doc" not in one]
    assert len(attacks) >= ATTACKS_AT_LEAST


def test_every_attacker_has_lines_with_tests() -> None:
    text = (ROOT / "docs" / "SECURITY.md").read_text()
    for attacker in (
        "The officer with the device", "The thief of", "The technician", "The dock clerk", "The broker operator",
        "The network", "The court opponent",
    ):  # fmt: skip
        section = text.partition(f"## {attacker}")[2].partition("\n## ")[0]
        assert "`test_" in section, attacker
