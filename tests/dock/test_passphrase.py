"""A passphrase comes from a file, the environment or the keyboard, and what is none is told in one line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dock.passphrase import PERSON_VARIABLE, given_passphrase, new_passphrase
from evidence.errors import BadInputError, ConfigError

GOOD = "several words are easy"


def test_the_file_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PERSON_VARIABLE, "from the environment")
    assert new_passphrase(None, PERSON_VARIABLE) == b"from the environment"
    (tmp_path / "words").write_text(f"{GOOD}\n")
    assert new_passphrase(tmp_path / "words", PERSON_VARIABLE) == GOOD.encode()


def test_a_file_that_is_not_there_or_holds_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        given_passphrase(tmp_path / "none", PERSON_VARIABLE, "")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(BadInputError, match="holds no passphrase"):
        given_passphrase(tmp_path / "empty", PERSON_VARIABLE, "")


def test_a_new_one_is_not_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PERSON_VARIABLE, "短口令")
    with pytest.raises(BadInputError, match="太短"):
        new_passphrase(None, PERSON_VARIABLE)


ASKING = (
    "from dock.passphrase import *\nfrom evidence.errors import LiuhenError\n"
    "try:\n  print('GOT', new_passphrase(None, PERSON_VARIABLE))\n"
    "except LiuhenError as error:\n  print('REFUSED', error)"
)


@pytest.mark.parametrize(
    ("typed", "answer"), [((GOOD, GOOD), f"GOT b'{GOOD}'"), ((GOOD, GOOD + "."), "REFUSED"), (("short",), "REFUSED")]
)
def test_it_is_typed_twice_and_never_shown(typed: tuple[str, ...], answer: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != PERSON_VARIABLE}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ASKING]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = b""
        for words in typed:
            while not shown.endswith(b": "):
                shown += os.read(ours, 1024)
            os.write(ours, f"{words}\n".encode())
            shown = shown[:-2]
        assert process.stdout is not None
        assert process.stdout.read().decode().startswith(answer)
    os.close(ours)
    assert not any(words.encode() in shown for words in typed)


def test_where_nobody_can_type_the_ways_are_named() -> None:
    environment = {name: value for name, value in os.environ.items() if name != PERSON_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", ASKING], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment,
        check=True,
    )  # fmt: skip
    assert "--passphrase-file" in done.stdout
    assert PERSON_VARIABLE in done.stdout
