"""Broker, dock and recorder as the real processes that they are; whatever happens, none is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from evidence.errors import ConfigError, LinkError, LiuhenError

STOP_S = 30
ANSWER_S = 15


class Process:
    """A command that can be started, killed as by a power cut, stopped politely, and started again."""

    def __init__(self, name: str, command: Sequence[str], log: Path, folder: Path | None = None) -> None:
        """Runs in `folder`, or in ours."""
        self._name = name
        self._folder = folder
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The running process's number. Raises LiuhenError when it has died."""
        return self._alive().pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, on_line: Callable[[str], None] | None = None) -> None:
        """Start it; each line that it prints goes to `on_line`. Its errors go to the log."""
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if on_line else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        if on_line is not None:
            self._reader = threading.Thread(target=_read, args=(self._process, on_line), daemon=True)
            self._reader.start()

    def tell(self, **verb: object) -> None:
        """Write one verb as a line of JSON to its standard input. Raises LiuhenError when it has died."""
        process = self._alive()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(verb) + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise self._dead() from error

    def check(self) -> None:
        """Raise LiuhenError with its last words when it has died by itself."""
        self._alive()

    def wait(self) -> None:
        """Wait until it has ended by itself. Raises LiuhenError with its last words when that was not well."""
        assert self._process is not None
        self._process.wait()
        if self._end(signal.SIGTERM) != 0:
            raise self._dead()

    def kill(self) -> None:
        """Gone at once, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it has. Raises LiuhenError when it does not end well."""
        code = self._end(signal.SIGTERM)
        if code not in (0, -signal.SIGTERM):
            raise self._dead()

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if self._reader is not None:
            self._reader.join(STOP_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream.close)
        return code

    def _alive(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            raise self._dead()
        return self._process

    def _dead(self) -> LiuhenError:
        words = self._log.read_text("utf-8", errors="replace").strip().splitlines()
        return LinkError(self._name, words[-1] if words else "died without a word", f"more in {self._log}")


def liuhen(*arguments: str) -> list[str]:
    """The console command in this same Python."""
    return [sys.executable, "-m", "evidence.io.command", *arguments]


def find_mosquitto() -> str:
    """The broker's path. Raises ConfigError that says what to install."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
    found = shutil.which("mosquitto", path=places)
    if found is None:
        raise ConfigError(
            "mosquitto", "is not installed", "Debian: apt install mosquitto; macOS: brew install mosquitto"
        )
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_port(port: int, process: Process, wait: Callable[[float], None]) -> None:
    """Return when somebody listens there. Raises LiuhenError when the process dies or nobody comes."""
    for _ in range(ANSWER_S * 20):
        process.check()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        wait(0.05)
    raise LinkError(f"127.0.0.1:{port}", "nobody listens there")


def _read(process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        on_line(line)


def _close(close: Callable[[], None]) -> None:
    try:
        close()
    except BrokenPipeError:
        return
