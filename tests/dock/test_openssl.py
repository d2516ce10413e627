"""What the unit's CA issues, judged by openssl, which knows nothing of us: who is whose, and what for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from device.identity import provision
from dock.enrolment import enrol
from dock.folder import DockFolder
from evidence.io.durable import PosixDisc
from tests.dock.fake_recorder import StillClock, make_dock
from tests.evidence.golden import FOREIGN_CA_PEM

NOW_S = str(StillClock().now().utc_us // 1_000_000)


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> tuple[DockFolder, Path]:
    """A dock, and the identity of a recorder that it has enrolled."""
    root = tmp_path_factory.mktemp("unit")
    folder, identity = make_dock(root / "station"), root / "identity"
    request = provision(identity, "BWC-0001", PosixDisc()).read_bytes()
    for name, content in enrol(folder, PosixDisc(), StillClock(), request, "request", None).files.items():
        (identity / name).write_bytes(content)
    (root / "strangers.pem").write_bytes(FOREIGN_CA_PEM)
    # Whatever stands between the root and a certificate: openssl looks for what it needs.
    given = (path.read_bytes() for path in sorted(root.rglob("*.pem")) if path.name != "request.pem")
    (root / "all.pem").write_bytes(b"".join(given))
    return folder, identity


def verify(leaf: Path, root: Path, *more: str) -> bool:
    """Whether openssl finds a valid chain from the first certificate of `leaf` to this root."""
    command = ["openssl", "verify", "-attime", NOW_S, "-x509_strict", "-CAfile", root, *more, leaf]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_openssl_finds_the_root_of_every_certificate(unit: tuple[DockFolder, Path]) -> None:
    folder, identity = unit
    between = ("-untrusted", str(identity.parent / "all.pem"))
    leaves = [*(folder.certificate(name) for name in ("dock", "broker", "head")),
              *(identity / name for name in ("signing.pem", "link.pem", "dock.pem"))]  # fmt: skip
    for leaf in leaves:
        assert verify(leaf, identity / "ca.pem", *between), leaf.name
        assert not verify(leaf, identity.parent / "strangers.pem"), leaf.name


@pytest.mark.parametrize(("name", "client", "server"), [("broker", False, True), ("head", True, False)])
def test_openssl_allows_a_link_s_certificate_its_one_end(
    unit: tuple[DockFolder, Path], name: str, client: bool, server: bool
) -> None:
    folder, identity = unit
    between = ("-untrusted", str(identity.parent / "all.pem"))
    path = folder.certificate(name)
    assert verify(path, identity / "ca.pem", *between, "-purpose", "sslclient") is client
    assert verify(path, identity / "ca.pem", *between, "-purpose", "sslserver") is server


def test_a_recorder_s_signing_certificate_opens_no_connection(unit: tuple[DockFolder, Path]) -> None:
    _, identity = unit
    between = ("-untrusted", str(identity.parent / "all.pem"))
    for purpose in ("sslclient", "sslserver"):
        assert not verify(identity / "signing.pem", identity / "ca.pem", *between, "-purpose", purpose)
