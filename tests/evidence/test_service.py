"""The word to systemd, over real sockets."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.io.service import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address as systemd writes it, and its end."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@liuhen-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(name.replace("@", "\0"))
        end.settimeout(5)
        yield name, end


def test_every_progress_says_that_the_service_is_up_and_feeds_the_watchdog(manager: tuple[str, socket.socket]) -> None:
    address, end = manager
    for _ in range(2):
        ServiceManager(address).progress()
        assert end.recv(100).split(b"\n") == [b"READY=1", b"WATCHDOG=1"]


def test_the_address_is_taken_out_of_the_environment(
    manager: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager[0])
    assert ServiceManager.of_this_process() == ServiceManager(manager[0])
    assert ServiceManager.of_this_process() == ServiceManager(None)


def test_a_process_that_no_manager_started_tells_nobody(caplog: pytest.LogCaptureFixture) -> None:
    ServiceManager(None).progress()
    assert caplog.messages == []


def test_a_manager_that_does_not_listen_or_hangs_never_holds_up_a_recording(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ServiceManager(str(tmp_path / "none")).progress()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        while "temporarily unavailable" not in caplog.text:
            ServiceManager(str(tmp_path / "deaf")).progress()
    assert "the service manager is not told" in caplog.messages[0]
