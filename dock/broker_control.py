"""Speaking with the broker's process: read your files again, and let go of somebody who is connected."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from queue import Empty, Queue

from dock.authority import Authority, Purpose, private_pem
from dock.clock import Clock
from dock.enrolment import link_key
from dock.folder import DockFolder, read_settings
from dock.issuing import load_issuing, time_of
from evidence.errors import LinkError
from evidence.io.mqtt import Link, LinkConfig, LinkState, TlsBroker

PROGRAM = "mosquitto"
PATIENCE_S = 10.0


def reload_broker(folder: DockFolder) -> bool:
    """Let a running broker read keys, certificates, lists and rules again; False when none runs. Raises LinkError."""
    try:
        pid = int(folder.broker_pid.read_text("ascii"))
        # A number that is left over from a broker that was killed may be somebody else's by now.
        if Path(f"/proc/{pid}/comm").read_text("ascii").strip() != PROGRAM:
            return False
        os.kill(pid, signal.SIGHUP)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    except OSError as error:
        what = f"the broker does not read its files again: {error.strerror}"
        raise LinkError(str(folder.broker_pid), what, "as root: systemctl reload mosquitto") from error
    return True


def cut_off(folder: DockFolder, clock: Clock, device: str) -> None:
    """End the connection that a recorder has. Only after `reload_broker`, or it comes back. Raises LinkError.

    The broker has no such command. But nobody can be connected twice under one name (MQTT 5, 3.1.4-3), and we may issue
    a certificate for any name: one for this moment, whose key is never on the disc for longer.
    """
    settings, authority = read_settings(folder), load_issuing(folder)
    states: Queue[LinkState] = Queue()
    with tempfile.TemporaryDirectory(dir=folder.private) as name:
        own = _passing_identity(Path(name), authority, clock, device)
        broker = TlsBroker(settings.host, settings.port, folder.ca_certificate, *own)
        link = Link(LinkConfig(broker, client_id=device), lambda _: None, states.put, lambda *_: None)
        link.start()
        try:
            state = states.get(timeout=PATIENCE_S)
        except Empty:
            state = LinkState(connected=False, reason="no answer")
        finally:
            link.stop()
    if not state.connected:
        what = f"{device} may still be connected: {state.reason}"
        raise LinkError(f"{settings.host}:{settings.port}", what, "restart the broker: systemctl restart mosquitto")


def _passing_identity(folder: Path, authority: Authority, clock: Clock, device: str) -> tuple[Path, Path]:
    key = link_key()
    certificate = authority.issue(device, Purpose.CLIENT, key.public_key(), time_of(clock))
    paths = folder / "link.pem", folder / "link.key"
    paths[0].write_bytes(authority.chain_pem(certificate))
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(private_pem(key))
    return paths
