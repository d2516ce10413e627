"""The write-once store of evidence, what is coming in, and the quarantine for what must not become evidence."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from dock.folder import DockFolder
from evidence.errors import DiscFullError, RejectedError
from evidence.io.durable import Disc, make_folder
from evidence.journal import Entry
from evidence.signing import to_base64url

RESERVE_BYTES = 512 * 1024 * 1024
"""Kept free for journals and catalogue, so that a full dock can still say so."""
NAMES_LIMIT = 1024
WRITE_ONCE = 0o400
REASON_SUFFIX = ".reason.txt"


class Vault:
    """Files of one dock. Every method raises DiscError when a disc verb fails."""

    def __init__(self, folder: DockFolder, disc: Disc) -> None:
        self._folder = folder
        self._disc = disc
        self._named: set[Path] = set()
        """Incoming files whose names are durable, as far as this process knows."""

    def put_part(self, device: str, segment: str, offset_bytes: int, data: memoryview) -> Path:
        """Write a part at its place; it is durable after `sync`. Raises DiscFullError when only the reserve is left."""
        path = self._folder.incoming(device, segment)
        if not path.exists():
            # Never had, or gone into the vault: what is made under this name now is another file.
            self._named.discard(path)
            if not path.parent.is_dir():
                make_folder(path.parent)
        self._refuse_without_room(path.parent, len(data))
        self._disc.write_at(path, data, offset_bytes)
        return path

    def sync(self, path: Path) -> None:
        """The parts written to this file survive a power cut from now on."""
        if path in self._named:
            self._disc.sync_data(path)
            return
        self._disc.sync(path)
        if len(self._named) >= NAMES_LIMIT:
            self._named.clear()
        self._named.add(path)

    def store(self, seal: Entry) -> bool:
        """Move a complete segment into the vault and put its seal beside it. Finishes what a crash left half done.

        False when its parts are not there (any more). Raises RejectedError when the vault holds something else under
        this name; that is never overwritten, and what came in goes to quarantine.
        """
        device, segment = seal.device, str(seal.fields["segment"])
        source, target = self._folder.incoming(device, segment), self._folder.segment(device, segment)
        make_folder(target.parent)
        if target.exists():
            self._settle_repeated(source, target, seal)
        else:
            size_bytes = source.stat().st_size if source.exists() else -1
            if size_bytes < seal.fields["stored_bytes"]:
                return False
            if size_bytes > seal.fields["stored_bytes"]:
                # Parts had come that the seal then did not confirm.
                self._disc.truncate(source, seal.fields["stored_bytes"])
            source.chmod(WRITE_ONCE)
            self._disc.move(source, target)
        self._put_seal(device, segment, seal.token)
        return True

    def store_blob(self, entry: Entry, stored: memoryview) -> None:
        """Put a verified photo or note into the vault, and its entry beside it; the same once more changes nothing.

        Raises RejectedError when the vault holds something else under this name, DiscFullError.
        """
        self._refuse_without_room(self._folder.vault, len(stored))
        device, blob = entry.device, entry.fields["blob"]
        target, fresh = self._folder.blob(device, blob), self._folder.incoming(device, blob)
        self._put_once(target, fresh, bytes(stored), "holds other content than was sent under this name")
        beside = self._folder.incoming(device, blob).with_suffix(".jws")
        self._put_token(target.with_suffix(".jws"), beside, entry.token, "is another entry than the one in the journal")

    def has_blob(self, entry: Entry) -> bool:
        """Whether the photo or note of this entry lies there."""
        return self._folder.blob(entry.device, entry.fields["blob"]).exists()

    def store_report(self, entry: Entry) -> None:
        """Keep a verified urgent report; the same once more changes nothing. Raises RejectedError, DiscFullError."""
        self._refuse_without_room(self._folder.vault, len(entry.token))
        device, interruption = entry.device, entry.fields["interruption"]
        target, fresh = self._folder.report(device, interruption), self._folder.incoming(device, interruption)
        self._put_token(target, fresh, entry.token, "is another report of the same interruption")

    def quarantine(self, device: str, name: str, content: bytes, reason: str) -> str:
        """Keep what must not become evidence, with the reason beside it; returns where, below the dock's folder."""
        path = self._folder.quarantine(device) / name
        make_folder(path.parent)
        self._refuse_without_room(path.parent, len(content))
        self._disc.replace(path, content)
        self._disc.replace(path.with_name(path.name + REASON_SUFFIX), f"{reason}\n".encode())
        return str(path.relative_to(self._folder.root))

    def _refuse_without_room(self, folder: Path, size_bytes: int) -> None:
        if self._disc.free_bytes(folder) < size_bytes + RESERVE_BYTES:
            hint = "move old evidence away or add storage"
            raise DiscFullError(str(folder), f"less than the reserve of {RESERVE_BYTES >> 20} MiB would be left", hint)

    def _settle_repeated(self, source: Path, target: Path, seal: Entry) -> None:
        """The vault has the name already: from before a crash, or wrongly."""
        if not matches_manifest(target, seal.fields["parts"]):
            what = "holds other content than the recorder sealed under this name"
            wrong = RejectedError(str(target), what, "never overwritten; compare it with the recorder's copy")
            if source.exists():
                kept = self._folder.quarantine(seal.device) / source.name
                make_folder(kept.parent)
                self._disc.remove(kept)
                self._disc.move(source, kept)
                self._disc.replace(kept.with_name(kept.name + REASON_SUFFIX), f"{wrong}\n".encode())
            raise wrong
        self._disc.remove(source)

    def _put_seal(self, device: str, segment: str, token: str) -> None:
        fresh = self._folder.incoming(device, segment).with_suffix(".jws")
        self._put_token(self._folder.seal(device, segment), fresh, token, "is another seal than the one in the journal")

    def _put_token(self, target: Path, fresh: Path, token: str, otherwise: str) -> None:
        self._put_once(target, fresh, f"{token}\n".encode("ascii"), otherwise)

    def _put_once(self, target: Path, fresh: Path, content: bytes, otherwise: str) -> None:
        """Write a file that is never written again, by way of `fresh`. Finishes what a crash left half done."""
        if target.exists():
            if target.read_bytes() != content:
                raise RejectedError(str(target), otherwise, "never overwritten")
            self._disc.remove(fresh)
            return
        for folder in (fresh.parent, target.parent):
            make_folder(folder)
        self._disc.replace(fresh, content)
        fresh.chmod(WRITE_ONCE)
        self._disc.move(fresh, target)


def matches_manifest(path: Path, parts: Sequence[Sequence[int | str]]) -> bool:
    """Whether a file is exactly these parts one after the other, each given as stored bytes and their hash first."""
    with path.open("rb") as file:
        for size_bytes, expected, *_ in parts:
            data = file.read(int(size_bytes))
            if len(data) != size_bytes or to_base64url(sha256(data).digest()) != expected:
                return False
        return not file.read(1)
