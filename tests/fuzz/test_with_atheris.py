"""The same parsers under a fuzzer that sees which branches it reaches; minutes, so only behind `./tests/run --long`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.targets import targets

ROOT = Path(__file__).parents[2]
SECONDS = 8
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has wheels for x86-64 Linux, Python 3.11 to 3.13"),
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", targets())
def test_no_path_through_a_parser_ends_in_anything_but_a_liuhen_error(name: str, tmp_path: Path) -> None:
    done = run("-m", "tests.fuzz.with_atheris", name, str(SECONDS), str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]


PLANTED = """
import sys
from pathlib import Path
from tests.fuzz.with_atheris import fuzz
from tests.fuzz.targets import Target, targets
honest = targets()["want"]
def parse(data):
    if data[:1] == b"[":
        raise ValueError("planted")
    honest.parse(data)
fuzz(Target(parse, honest.seeds), 20, Path(sys.argv[1]))
"""


def test_the_fuzzer_would_say_so(tmp_path: Path) -> None:
    done = run("-c", PLANTED, str(tmp_path))
    assert done.returncode != 0
    assert "planted" in done.stdout + done.stderr
