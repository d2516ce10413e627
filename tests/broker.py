"""A real mosquitto on 127.0.0.1 with TLS and certificates made on the spot."""

from __future__ import annotations

import datetime
import getpass
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS_OF_VALIDITY = (datetime.datetime(2026, 1, 1), datetime.datetime(2056, 1, 1))
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/opt/homebrew/sbin") or "mosquitto"


class Authority:
    """A root that issues certificates into a folder as NAME.crt and NAME.key; its own are ca.crt and ca.key."""

    def __init__(self, folder: Path, name: str = "test root") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca_path = folder / "ca.crt"
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._write("ca", self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def issue(self, common_name: str) -> tuple[Path, Path]:
        """The paths of a new certificate for this name, at home on 127.0.0.1 and localhost, and of its key."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        here = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
        )
        return self._write(common_name, subject, ec.generate_private_key(ec.SECP256R1()), here)

    def _write(
        self, name: str, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> tuple[Path, Path]:
        certificate = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(YEARS_OF_VALIDITY[0])
            .not_valid_after(YEARS_OF_VALIDITY[1])
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )
        certificate_path, key_path = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_path, key_path


class Broker:
    """`with Broker(folder, authority) as broker`: mosquitto answers on `broker.port` until the block ends.

    `settings` are lines of mosquitto.conf after the listener's; `acl` its access rules.
    """

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        settings: str = "",
        acl: str = "pattern readwrite #",
        address: str = "127.0.0.1",
    ) -> None:
        self.host = address
        self.port = free_port()
        self.log = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._config_path = folder / "mosquitto.conf"
        certificate_path, key_path = authority.issue("broker")
        (folder / "acl").write_text(acl + "\n")
        self._config_path.write_text(
            f"user {getpass.getuser()}\n"
            "log_dest stderr\nlog_type error\nlog_type warning\nlog_type notice\nlog_type information\n"
            f"listener {self.port} {self.host}\n"
            f"cafile {authority.ca_path}\ncertfile {certificate_path}\nkeyfile {key_path}\n"
            "require_certificate true\nuse_identity_as_username true\nuse_username_as_clientid true\n"
            f"allow_anonymous false\nacl_file {folder / 'acl'}\nset_tcp_nodelay true\n"
            f"max_inflight_messages 64\nmax_queued_messages 20000\n{settings}\n"
        )

    def start(self) -> None:
        """Returns once mosquitto answers."""
        command = [MOSQUITTO, "-c", str(self._config_path)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        running = threading.Event()
        self._reader = threading.Thread(target=self._read_log, args=(self._process, running))
        self._reader.start()
        if not running.wait(10) or self._process.poll() is not None:
            self.kill()
            raise RuntimeError(f"mosquitto did not start: {self.log}")

    def kill(self) -> None:
        """The broker is gone at once and forgets every session, as in a power cut."""
        if self._process is not None and self._reader is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process = None

    def restart(self) -> None:
        """Killed and started again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """The broker keeps its connections but does nothing, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """The broker goes on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _read_log(self, process: subprocess.Popen[str], running: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.log += line
                if line.rstrip().endswith("running"):
                    running.set()
        running.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
