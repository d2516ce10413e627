"""The units under a true service manager: up, watched, killed, started again, stopped, and kept in their place.

One machine for all tests, in the order of its life; the last one ends it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from operator import xor
from typing import Any

import pytest

from evidence.certificates import Trust
from evidence.io.journal_store import Access, JournalStore
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.model import Timestamp
from evidence.verify import Verdict
from tests.pi.machine import SUITES, Machine, build
from tests.pi.units import BROKER

RECORDER, UPLINK, DOCK = "liuhen-recorder.service", "liuhen-uplink.service", "liuhen-dock.service"
DEVICE = "LH-000001"
CONFIG = """
[camera]
width = 320
height = 180
frames_per_s = 10
bit_rate_bps = 300000
[recording]
segment_s = 5
pre_event_s = 5
"""
ON_SIMULATED_HARDWARE = """\
[Service]
ExecStartPre=/usr/bin/python3 -m tests.pi.probe
ExecStart=
ExecStart=/usr/bin/python3 -m tests.pi.simulated_board /etc/liuhen/recorder.toml
Environment=PYTHONPATH=/opt/liuhen/source:/opt/liuhen/site
WatchdogSec=6
# This kernel has no such drivers, so by name and not by class.
DeviceAllow=/dev/video0 rw
"""
IN_A_DOCK_OF_FILES = """\
[Service]
ExecStartPre=/usr/bin/python3 -m tests.pi.probe
Environment=PYTHONPATH=/opt/liuhen/source:/opt/liuhen/site
BindReadOnlyPaths=/var/lib/contacts:/sys/class/power_supply
"""
NODES = """\
mknod -m 660 /dev/video0 c 81 0; chgrp video /dev/video0
mknod -m 666 /dev/mem c 1 1
mknod -m 666 /dev/card0 b 179 0
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root boots a machine"),
    pytest.mark.skipif(sys.version_info[:2] not in SUITES, reason="no Debian has this Python"),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A recorder and its dock in one machine, enrolled, and both halves of the recorder started."""
    folder = tmp_path_factory.mktemp("machine")
    root = folder / "root"
    build(root)
    running = Machine(root, folder / "log")
    try:
        enrol(running)
        running.do(f"systemctl daemon-reload; systemctl start {RECORDER} {UPLINK}")
        yield running
    finally:
        running.end()
        shutil.rmtree(root)


def enrol(machine: Machine) -> None:
    """As docs/HARDWARE.md tells a technician to."""
    with (machine.root / "etc/liuhen/recorder.toml").open("a") as file:
        file.write(CONFIG)
    machine.drop_in(RECORDER, ON_SIMULATED_HARDWARE)
    machine.drop_in(UPLINK, IN_A_DOCK_OF_FILES)
    contacts = machine.root / "var/lib/contacts/dock"
    contacts.mkdir(parents=True)
    (contacts / "type").write_text("Mains\n")
    (contacts / "online").write_text("0\n")
    machine.do(NODES)
    identity, dock = "/var/lib/liuhen/identity", "/var/lib/liuhen-dock"
    machine.do(f"runuser -u liuhen-dock -- liuhen dock init {dock}")
    machine.do(f"liuhen device provision {identity} --id {DEVICE}")
    machine.do(f"install -o liuhen-dock {identity}/request.pem /tmp/request.pem")
    given = "--out /tmp/enrolled --officer 640221-0117 张建国 平罗县退役军人事务局"
    machine.do(f"runuser -u liuhen-dock -- liuhen dock enrol {dock} /tmp/request.pem {given}")
    machine.do(f"cp /tmp/enrolled/* {identity}; systemd-tmpfiles --create liuhen-recorder.conf")


def entries(machine: Machine) -> list[Entry]:
    with closing(JournalStore(machine.root / "var/lib/liuhen/spool/journal.db", Access.READ)) as journal:
        return list(journal.of_kind(*KINDS))


KINDS = ("power_on", "power_off", "recording_started", "fragment", "interruption", "resumed", "segment", "receipt")


def of_kind(machine: Machine, kind: str) -> list[Entry]:
    return [entry for entry in entries(machine) if entry.kind == kind]


def named(machine: Machine, kind: str) -> set[str]:
    """The segments about which there is an entry of this kind."""
    return {entry.fields["segment"] for entry in of_kind(machine, kind)}


def restarts(machine: Machine, unit: str = RECORDER) -> int:
    return int(machine.show(unit, "NRestarts")["NRestarts"])


def gap_s(machine: Machine) -> float:
    """How long the last interruption lasted, from the last picture before it to the first one after it."""
    broken, resumed = of_kind(machine, "interruption")[-1], of_kind(machine, "resumed")[-1]
    first = next(entry for entry in of_kind(machine, "fragment") if broken.seq < entry.seq < resumed.seq)
    seen_us = first.at.utc_us - first.fields["duration_us"]
    return float((seen_us - Timestamp.from_fields(broken.fields["began"]).utc_us) / 1e6)


def probed(machine: Machine, unit: str) -> dict[str, str]:
    line = next(line for line in machine.said(unit) if line.startswith("PROBE "))
    found: dict[str, Any] = json.loads(line.removeprefix("PROBE "))
    return found


def test_both_halves_are_up_when_they_work(machine: Machine) -> None:
    for unit in (RECORDER, UPLINK):
        state = machine.show(unit, "ActiveState", "Type", "NRestarts")
        assert state == {"ActiveState": "active", "Type": "notify", "NRestarts": "0"}, machine.said(unit)
    assert len(of_kind(machine, "power_on")) == 1


def test_the_half_with_camera_and_key_has_no_network(machine: Machine) -> None:
    assert probed(machine, RECORDER) == {
        "read signing.key": "yes",
        "read link.key": "EACCES",
        "replace signing.key": "EROFS",
        "write a segment": "yes",
        "write a word": "yes",
        "write the system": "EROFS",
        # ENXIO: the rules let it through, and this kernel has no camera.
        "open the camera": "ENXIO",
        "open the memory": "EPERM",
        "open the card itself": "EPERM",
        "use the network": "EAFNOSUPPORT",
        "ask the clock": "yes",
        "set the clock": "EPERM",
        "run as real time": "EPERM",
        "write and execute": "EPERM",
    }


def test_the_half_with_the_network_has_neither_camera_nor_key(machine: Machine) -> None:
    assert probed(machine, UPLINK) == {
        "read signing.key": "EACCES",
        "read link.key": "yes",
        "replace signing.key": "EPERM",
        "write a segment": "EROFS",
        "write a word": "yes",
        "write the system": "EROFS",
        "open the camera": "ENOENT",
        "open the memory": "ENOENT",
        "open the card itself": "ENOENT",
        "use the network": "yes",
        "ask the clock": "yes",
        "set the clock": "EPERM",
        "run as real time": "EPERM",
        "write and execute": "EPERM",
    }


def test_a_recorder_whose_card_hangs_is_ended_and_goes_on(machine: Machine) -> None:
    """Everything else in it lives, every timer runs; but nothing becomes durable."""
    machine.tell("/run/liuhen/world", do="press", button="record")
    machine.await_that("it records", lambda: len(of_kind(machine, "fragment")) > 3)
    machine.tell("/run/liuhen/world", do="card_hang")
    machine.await_that("the watchdog has ended it", lambda: restarts(machine) == 1)
    assert any("Watchdog timeout" in line for line in machine.said(RECORDER))
    assert any("simulated_board" in line and "line" in line for line in machine.said(RECORDER)), "no traceback"
    machine.await_that("it goes on", lambda: of_kind(machine, "resumed"))
    # The simulated clock of each process is a boot of its own.
    assert [entry.fields["cause"] for entry in of_kind(machine, "interruption")] == ["power_loss"]


def test_a_recorder_that_is_killed_goes_on_within_five_seconds(machine: Machine) -> None:
    machine.do(f"systemctl kill --signal=KILL --kill-who=main {RECORDER}")
    machine.await_that("it goes on", lambda: len(of_kind(machine, "resumed")) == 2)
    assert restarts(machine) == 2
    gone_s = gap_s(machine)
    print(f"recording again {gone_s:.1f} s after the last picture before the kill")
    assert gone_s < 5


def test_a_recorder_that_is_stopped_seals_and_says_so(machine: Machine) -> None:
    machine.tell("/run/liuhen/world", do="press", button="stop")
    machine.do(f"systemctl stop {RECORDER}")
    assert machine.show(RECORDER, "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    spool = machine.root / "var/lib/liuhen/spool"
    assert (spool / "journal.db.head").exists()
    report = verify_path(spool, Trust((machine.root / "var/lib/liuhen-dock/ca.pem").read_bytes(), "ca.pem"))
    assert report.verdict is Verdict.AUTHENTIC
    machine.do(f"systemctl start {RECORDER}")


def test_the_uplink_carries_everything_into_the_dock_and_the_recorder_hears_of_it(machine: Machine) -> None:
    machine.do(f"systemctl start {BROKER} {DOCK}")
    sealed = named(machine, "segment")
    assert sealed
    (machine.root / "var/lib/contacts/dock/online").write_text("1\n")
    machine.await_that("every segment has its receipt", lambda: sealed <= named(machine, "receipt"))
    vault = machine.root / "var/lib/liuhen-dock/vault" / DEVICE
    assert {path.stem for path in vault.glob("*.mp4")} >= sealed


def test_the_broker_sees_nothing_of_the_dock_but_its_own(machine: Machine) -> None:
    """Not even by way of the dock's process, though both have one user."""
    pid = machine.show(DOCK, "MainPID")["MainPID"]
    tried = f"/proc/{pid} /proc/{pid}/root/var /var/lib/liuhen-dock/vault /var/lib/liuhen-dock/dock/broker.key"
    machine.drop_in(BROKER, f"[Service]\nExecStartPre=-/bin/ls -d {tried}\n")
    machine.do(f"systemctl daemon-reload; systemctl restart {BROKER}")
    said = machine.said(BROKER)
    assert "/var/lib/liuhen-dock/dock/broker.key" in said
    for hidden in (f"/proc/{pid}/root/var", "/var/lib/liuhen-dock/vault"):
        assert any(f"cannot access '{hidden}'" in line for line in said), said
    # Both are there, and the process is still that of the dock.
    machine.do(f"ls /proc/{pid}/root/var /var/lib/liuhen-dock/vault")
    assert machine.show(DOCK, "MainPID")["MainPID"] == pid


def test_the_recorder_does_not_notice_when_the_uplink_dies(machine: Machine) -> None:
    before = restarts(machine)
    machine.do(f"systemctl kill --signal=KILL --kill-who=main {UPLINK}")
    machine.await_that("the uplink is back", lambda: restarts(machine, UPLINK) == 1)
    assert restarts(machine) == before


def test_the_health_check_tells_without_a_key(machine: Machine) -> None:
    machine.ask("systemctl start liuhen-health.service")
    said = machine.said("liuhen-health.service")
    assert any(line.startswith("LIUHEN ") for line in said), said


def test_positions_of_a_true_gpsd_come_through_the_door(machine: Machine) -> None:
    """A played receiver behind the real gpsd; the real proxy leads the real adapter to it, as the recorder's user."""
    sentences = (
        "GPRMC,060000.00,A,3854.396,N,10632.700,E,0.0,0.0,251126,,",
        "GPGGA,060000.00,3854.396,N,10632.700,E,1,08,1.0,1100.0,M,0.0,M,,",
    )
    (machine.root / "var/lib/track.nmea").write_text("".join(map(nmea, sentences)))
    machine.do("systemctl stop gpsd.socket gpsd.service; systemctl start liuhen-gpsd.socket")
    path = "PYTHONPATH=/opt/liuhen/source:/opt/liuhen/site"
    played = "-p StandardInput=file:/var/lib/track.nmea python3 -m tests.pi.receiver"
    machine.do(f"systemd-run --unit=receiver --setenv={path} {played}")
    line = machine.do(f"runuser -u liuhen-recorder -- env {path} python3 -m tests.pi.locate")
    assert json.loads(line) == pytest.approx([38.9066, 106.545], abs=1e-4)
    assert machine.ask(
        'runuser -u liuhen-uplink -- python3 -c "import socket; '
        "socket.socket(socket.AF_UNIX).connect('/run/liuhen-gpsd')\" 2>&1"
    ).endswith("Permission denied")


def nmea(sentence: str) -> str:
    """With its checksum."""
    return f"${sentence}*{reduce(xor, sentence.encode()):02X}\r\n"


@pytest.mark.parametrize("unit", [RECORDER, UPLINK, DOCK, BROKER, "liuhen-health.service"])
def test_no_unit_is_more_exposed_as_it_runs(machine: Machine, unit: str) -> None:
    level = machine.ask(f"systemd-analyze security --no-pager {unit} | tail -1")
    assert float(level.split(": ")[1].split()[0]) <= 1.5, level


def test_an_empty_battery_switches_the_board_off(machine: Machine) -> None:
    machine.drop_in(RECORDER, "[Service]\nExecStart=\nExecStart=/bin/sh -c 'exit 10'\n")
    machine.ask(f"systemctl daemon-reload; systemctl restart {RECORDER}")
    machine.await_that("the machine is off", lambda: machine.process.poll() is not None)
