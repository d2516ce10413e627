"""After a power loss: photos and notes on the card against the journal. Every step can itself be cut and run again.

A file without an entry was never acknowledged to anybody: it is removed, after an entry says so. A file that an entry
speaks of and that is not there, or is another, is said once and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from device.spool import Spool
from evidence.journal import Entry
from evidence.kinds import BLOB_KINDS, HASH, SEALED_BLOB
from evidence.signing import to_base64url


def recover_blobs(spool: Spool) -> None:
    """Bring the card's photos and notes together with the journal. Raises DiscError."""
    entries = list(spool.journal.of_kind(*BLOB_KINDS))
    _forget_unjournalled(spool, {entry.fields["blob"] for entry in entries})
    released, received = (spool.blobs_with(kind) for kind in ("blob_released", "blob_receipt"))
    said = spool.blobs_with("blob_damaged")
    for entry in entries:
        blob, path = entry.fields["blob"], spool.paths.blob(entry.fields["blob"])
        if blob in released:
            # Journalled before the power went, and perhaps not carried out.
            if path.exists():
                spool.disc.remove(path)
        elif blob not in received | said and (what := _damage(path, entry)):
            spool.note("blob_damaged", blob=blob, what=what)
            said.add(blob)


def _forget_unjournalled(spool: Spool, known: set[str]) -> None:
    """Only names of our making: a stranger's file is not ours to remove."""
    for path in _files(spool.paths.root / "blobs"):
        if path.stem in known:
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            spool.note("blob_damaged", blob=path.stem, what=f"is not in the journal, cannot be read: {error.strerror}")
            continue
        fields = {"blob": path.stem, "bytes": len(data), "sha256": to_base64url(sha256(data).digest())}
        # A recovery that was cut itself may have said it.
        if all(entry.fields != fields for entry in spool.journal.of_kind("blob_torn")):
            spool.note("blob_torn", **fields)
        spool.disc.remove(path)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob(f"*{SEALED_BLOB}")) if HASH.fullmatch(path.stem))


def _damage(path: Path, entry: Entry) -> str:
    """What is wrong with the only copy that there is; what the dock has as well is not read again at every start."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    same = to_base64url(sha256(data).digest()) == entry.fields["stored_sha256"]
    return "" if same else "is not what was journalled"
