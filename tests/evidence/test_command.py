"""The console command: help, errors of one line, output for people and for machines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.account import Use, accounts
from evidence.io.account_command import bar
from evidence.io.command import main
from evidence.model import ClockGrade
from tests.evidence.golden import CA_PEM, RECORDER, Writer, short_journal
from tests.evidence.test_account import MORNING_MS, Shift, calm, power_cut
from tests.evidence.trees import make_spool, make_vault

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return make_vault(tmp_path / "folder" / "vault", [short_journal()])


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(CA_PEM)
    return tmp_path / "ca.pem"


def help_of(arguments: list[str], capsys: Captured) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_help_names_every_command(capsys: Captured) -> None:
    out = help_of(["--help"], capsys)
    for command in ("account", "device", "dock", "regimes", "sim", "verify"):
        assert f"\n    {command} " in out


@pytest.mark.parametrize(
    ("command", "words"),
    [("verify", ["Exit codes: 0 authentic, 3 authentic with gaps, 1", "--trust CA"]), ("account", ["--all", "--json"])],
)
def test_the_help_of_a_command_says_what_it_needs(command: str, words: list[str], capsys: Captured) -> None:
    out = help_of([command, "--help"], capsys)
    assert out.startswith(f"usage: liuhen {command}")
    for word in words:
        assert word in out


def test_the_version(capsys: Captured) -> None:
    assert help_of(["--version"], capsys).startswith("liuhen ")


@pytest.mark.parametrize("arguments", [[], ["destroy"], ["verify"], ["verify", "a", "b"], ["account", "x", "--loud"]])
def test_what_nobody_understands_is_told_with_the_usage(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: liuhen")


Spoil = Callable[[Path], Path]
"""Does something to a vault and gives the path to look at."""


def no_database(vault: Path) -> Path:
    (vault / "journal.db").write_bytes(b"x" * 4096)
    return vault


def folder_for_a_journal(vault: Path) -> Path:
    shutil.rmtree(vault / RECORDER)
    (vault / RECORDER / "journal.jws").mkdir(parents=True)
    return vault


def broken_chain(vault: Path) -> Path:
    journal = vault / RECORDER / "journal.jws"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2] + lines[3:]))
    return vault


def torn_line(vault: Path) -> Path:
    with (vault / RECORDER / "journal.jws").open("ab") as file:
        file.write(b"torn")
    return vault / RECORDER


def a_time_of_no_calendar(vault: Path) -> Path:
    shift = Shift()
    shift.step_ms, shift.grade = 253_402_300_799_000 - MORNING_MS, ClockGrade.GNSS
    shift.power_on(0)
    shift.step_ms, shift.grade = 0, ClockGrade.RTC
    return write(shift.note(10_000, "docked"), vault)


UNREADABLE: dict[str, tuple[Spoil, str, str]] = {
    "nothing there": (lambda vault: vault / "none", "none: holds no recorder's journal", "none: is not there"),
    "no name at all": (lambda vault: vault / "\0", "", "is not there"),
    "an empty folder": (
        lambda vault: vault.parent,
        "holds no recorder's journal",
        "is no segment, photo, note, vault or spool",
    ),
    "no database": (no_database, "journal.db: is not a journal", "journal.db: is not a journal"),
    "a folder for a journal": (folder_for_a_journal, "Is a directory", ""),
    "a broken chain": (broken_chain, "entries 2 to 2 before it are missing", ""),
    "a torn line": (torn_line, "line 12: is torn", ""),
    "a time of no calendar": (a_time_of_no_calendar, "names times that no calendar has", ""),
}
"""What is done, what `account` tells, and what `verify` tells; an empty text where it can say more than an error."""


TOLD = [
    (command, name, told)
    for name, (_, *tells) in UNREADABLE.items()
    for command, told in zip(("account", "verify"), tells, strict=True)
    if told
]


@pytest.mark.parametrize(("command", "name", "told"), TOLD)
def test_what_cannot_be_read_is_told_in_one_line(
    vault: Path, ca: Path, command: str, name: str, told: str, capsys: Captured
) -> None:
    path = UNREADABLE[name][0](vault)
    arguments = [command, str(path), *(["--trust", str(ca)] if command == "verify" else [])]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"liuhen {command}: ")
    assert told in err


def test_the_account_of_a_vault_and_of_a_spool_is_the_same(vault: Path, tmp_path: Path, capsys: Captured) -> None:
    spool = make_spool(tmp_path / "spool", short_journal())
    told = []
    for path in (vault, vault / RECORDER):
        assert main(["account", str(path), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert main(["account", str(spool), "--json"]) == 0
    (on_card,) = json.loads(capsys.readouterr().out)
    assert told[0] == told[1] != []
    # The card's journal goes on by one entry, the receipt, a second later.
    later = {"end": "2026-11-21T13:18:16.123456Z", "total_s": 10.0, "standby_s": told[0][0]["standby_s"] + 1}
    assert on_card == told[0][0] | later


def write(shift: Shift, vault: Path) -> Path:
    """The shift as a journal that the dock keeps."""
    writer = Writer()
    for entry in shift.entries:
        made = writer.chain.make(entry.at, entry.kind, entry.fields)
        writer.chain.advance(made)
        writer.entries.append(made)
    (vault / RECORDER / "journal.jws").write_bytes(writer.text)
    return vault


def test_the_account_for_machines(vault: Path, capsys: Captured) -> None:
    write(power_cut().explain(9000).note(10_000, "docked"), vault)
    assert main(["account", str(vault), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "device": RECORDER,
            "start": "2026-11-21T01:20:00.000000Z",
            "end": "2026-11-21T01:20:10.000000Z",
            "recorded_s": 4.5, "explained_s": 2.5, "unexplained_s": 0.0, "standby_s": 3.0, "off_s": 0.0,
            "total_s": 10.0,
            "interruptions": [
                {
                    "interruption": "111111111111-i0001", "recording": "111111111111-r0001", "cause": "power_loss",
                    "part": None, "reason": "battery", "state": "explained",
                    "start": "2026-11-21T01:20:04.000000Z", "end": "2026-11-21T01:20:06.500000Z",
                }
            ],
        }
    ]  # fmt: skip


def test_the_account_for_people(vault: Path, capsys: Captured) -> None:
    write(power_cut().note(10_000, "docked"), vault)
    assert main(["account", str(vault)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "BWC-0001  2026-11-21T01:20:00.000000Z – 2026-11-21T01:20:10.000000Z"
    assert lines[1] == f"  [{'·' * 6}{'█' * 18}{'!' * 15}{'█' * 9}{'·' * 12}]"
    assert "  ! 未说明 unexplained         2.500 s" in lines
    assert "    合计 total              10.000 s" in lines
    assert "  中断 interruption power_loss: 2.500 s, open" in lines


def test_only_the_last_shift_unless_all_are_wanted(vault: Path, capsys: Captured) -> None:
    write(calm().note(10_000, "docked").note(20_000, "undocked").note(26_000, "docked"), vault)
    assert main(["account", str(vault), "--json"]) == 0
    assert [shift["total_s"] for shift in json.loads(capsys.readouterr().out)] == [6.0]
    assert main(["account", str(vault), "--json", "--all"]) == 0
    assert [shift["total_s"] for shift in json.loads(capsys.readouterr().out)] == [10.0, 6.0]


def test_a_bar_never_hides_an_unexplained_moment() -> None:
    shift = Shift().power_on(0).start(1000).film((1000, 500_000), (500_041, 900_000)).stop(900_000)
    (account,) = accounts(shift.note(3_600_000, "docked").entries)
    assert account.total_us(Use.UNEXPLAINED) == 41_000
    assert len(bar(account)) == 60
    assert bar(account).count("!") == 1


def test_the_console_command_is_installed(vault: Path, ca: Path) -> None:
    liuhen = Path(sys.executable).with_name("liuhen")
    command = [liuhen, "verify", str(vault), "--trust", str(ca)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("真实完整 authentic\n")


def test_a_reader_that_goes_away_is_no_trouble(vault: Path, ca: Path) -> None:
    """As in `liuhen verify ... | head -0`."""
    liuhen = Path(sys.executable).with_name("liuhen")
    command = [liuhen, "verify", str(vault), "--trust", str(ca), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 2)
