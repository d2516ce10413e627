"""What a service tells the manager that started it: one datagram (sd_notify(3)). Without a manager nobody is told."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """systemd, at the socket that it names in NOTIFY_SOCKET; None when something else started this process."""

    address: str | None

    @classmethod
    def of_this_process(cls) -> ServiceManager:
        """The manager that started this process, taken out of the environment, so that no child speaks for us."""
        return cls(os.environ.pop("NOTIFY_SOCKET", None))

    def progress(self) -> None:
        """Work has been done: the service is up, and its watchdog starts to count anew. Never blocks, never raises."""
        if self.address is None:
            return
        # Linux' abstract names begin with a zero byte, which the environment cannot hold.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as edge:
                edge.sendto(b"READY=1\nWATCHDOG=1", address)
        except OSError as error:
            # A manager that hears nothing ends the service: that is its to decide.
            log.warning("the service manager is not told: %s", error)
