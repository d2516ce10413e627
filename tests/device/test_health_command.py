"""`liuhen health` as a technician and a monitoring plugin run it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from device.health.facts import Facts
from device.health.facts_file import FACTS_FILE, read_facts, write_facts
from device.holding import holding
from device.identity import provision
from dock.enrolment import choose_settings, enrol, init
from dock.folder import DockFolder
from evidence.io.command import main
from evidence.io.durable import PosixDisc
from tests.device.health_facts import well
from tests.device.unit import DEVICE
from tests.dock.fake_recorder import StillClock

Capture = pytest.CaptureFixture[str]
FORMS = ((), ("--json",), ("--nagios",), ("--prometheus",))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "recorder.toml"
    path.write_text('spool = "spool"\nidentity = "identity"\n')
    return path


def told(config: Path, facts: Facts, age_s: float = 0) -> None:
    """As a running recorder did so many seconds ago."""
    run = config.parent / "run"
    write_facts(run, facts)
    found = read_facts(run)
    assert found is not None
    at_s = found.written_utc_us / 1e6 - age_s
    os.utime(run / FACTS_FILE, (at_s, at_s))


def health(config: Path, *form: str) -> int:
    return main(["health", "--config", str(config), *form])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("changed", "code"), [({}, 0), ({"card__minutes_left": 20}, 1), ({"state": "fault"}, 2), ({"state": None}, 3)]
)
def test_every_form_ends_with_the_code_of_the_card(
    config: Path, form: tuple[str, ...], changed: dict[str, object], code: int, capsys: Capture
) -> None:
    told(config, well(**changed))
    assert health(config, *form) == code
    out, err = capsys.readouterr()
    assert out
    assert err == ""
    assert "\x1b" not in out, "no colour into a pipe"


@pytest.mark.parametrize(
    ("age_s", "code", "word"), [(10, 0, "OK"), (20, 1, "WARNING"), (3600, 2, "silent for 60 min"), (-60, 2, "set back")]
)
def test_facts_that_grow_old_are_called_out(config: Path, age_s: float, code: int, word: str, capsys: Capture) -> None:
    told(config, well(), age_s)
    assert health(config, "--nagios") == code
    assert word in capsys.readouterr().out


def test_nothing_is_written(config: Path) -> None:
    told(config, well())
    before = sorted(config.parent.rglob("*"))
    for form in FORMS:
        health(config, *form)
    assert sorted(config.parent.rglob("*")) == before


def enrolled(config: Path) -> None:
    """The recorder has keys and certificates, and has never run."""
    root, disc = config.parent, PosixDisc()
    folder = DockFolder(root / "station")
    init(folder, disc, StillClock(), choose_settings([], "127.0.0.1", 8883), "127.0.0.1", [], 1, as_root=False)
    request = provision(root / "identity", DEVICE, disc).read_bytes()
    for name, data in enrol(folder, disc, StillClock(), request, "request", None).files.items():
        disc.replace(root / "identity" / name, data)


def test_without_the_recorder_it_says_so_and_tells_what_was_left_behind(config: Path, capsys: Capture) -> None:
    enrolled(config)
    assert health(config, "--json") == 2
    card = json.loads(capsys.readouterr().out)
    items = {item["name"]: item for item in card["items"]}
    assert card["device"] == DEVICE
    assert items["agent"]["reading"] == "not running: it has left no facts"
    assert (items["camera"]["state"], items["certificate"]["state"]) == ("unknown", "ok")
    assert (items["officer"]["reading"], items["backlog"]["reading"]) == ("unassigned", "0 segments, 0 MB")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no configuration": (lambda c: c.unlink(), "recorder.toml: cannot be read"),
    "an unknown key": (lambda c: c.write_text('spool="a"\nidentity="b"\ncolour=1\n'), "unknown key colour"),
    "a run folder that is no text": (
        lambda c: c.write_text('spool="a"\nidentity="b"\nrun=1\n'),
        "lacks the folder run",
    ),
    "no identity and no facts": (lambda _: None, "liuhen device provision"),
    "half a health file": (lambda c: (told(c, well()), os.truncate(c.parent / "run" / FACTS_FILE, 99)), "not JSON"),
    "a health file of nothing": (
        lambda c: (told(c, well()), os.truncate(c.parent / "run" / FACTS_FILE, 0)),
        "not JSON",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("form", FORMS)
def test_bad_input_is_one_line_and_exit_code_3(config: Path, case: str, form: tuple[str, ...], capsys: Capture) -> None:
    change, words = BAD[case]
    change(config)
    assert health(config, *form) == 3
    out, err = capsys.readouterr()
    line, silent = (out, err) if form == ("--nagios",) else (err, out)
    assert silent == ""
    assert line.count("\n") == 1
    assert line.startswith("LIUHEN UNKNOWN - " if form == ("--nagios",) else "liuhen health: ")
    assert words in line


def test_the_run_folder_may_be_somewhere_else(config: Path) -> None:
    told(config, well())
    (config.parent / "run").rename(config.parent / "elsewhere")
    config.write_text(config.read_text() + 'run = "elsewhere"\n')
    assert health(config) == 0


def test_the_self_test_refuses_in_one_line_while_the_recorder_runs(config: Path, capsys: Capture) -> None:
    (config.parent / "spool").mkdir()
    with holding(config.parent / "spool"):
        assert health(config, "--self-test") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "is in use by a running recorder (stop it first: systemctl stop" in err


def test_the_self_test_of_a_pc_says_what_is_missing(config: Path, capsys: Capture) -> None:
    assert health(config, "--self-test") == 3
    assert "apt install python3-picamera2" in capsys.readouterr().err
