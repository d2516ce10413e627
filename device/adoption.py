"""Taking over what the dock gave, all of it or nothing, and leaving a dock for another unit's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from device.holding import holding
from device.identity import LINK_KEY, Identity, read_identity
from device.signing_key import read_file
from device.spool import SpoolPaths
from device.spool_reader import SpoolReader
from evidence.certificates import Role, Trust
from evidence.errors import BadInputError, ConfigError, DiscError, UnknownKeyError
from evidence.io.durable import Disc, sync_folder
from evidence.signing import KeySigner

GIVEN = ("ca.pem", "vault.pem", "dock.pem", "dock.toml", "signing.pem", "link.pem", "assignment.jws")
"""What the dock gives, in the order in which it is put in place."""


def adopt(folder: Path, given: Path, disc: Disc) -> Identity:
    """Put the dock's files into the identity folder, if together they make sense for the keys that are there.

    A new dock key or vault key is believed because the unit's root vouches for it; another root is not.
    Raises BadInputError, ConfigError, UnknownKeyError; then nothing has changed. DiscError: do it again.
    """
    new = {name: (given / name).read_bytes() for name in GIVEN if (given / name).is_file()}
    if not new:
        raise BadInputError(str(given), f"holds none of {', '.join(GIVEN)}", "give the folder of liuhen dock enrol")
    present = folder / "ca.pem"
    if "ca.pem" in new and present.exists() and present.read_bytes() != new["ca.pem"]:
        raise UnknownKeyError(str(given), "is of another unit", "to change the dock: liuhen device leave")

    def read(name: str) -> bytes:
        return new[name] if name in new else read_file(folder, name)

    identity = read_identity(folder, read)
    link = Trust(read("ca.pem")).identify_pem(read("link.pem"), str(given / "link.pem"))
    own_link = KeySigner.from_pem(read(LINK_KEY), str(folder / LINK_KEY)).kid
    if (link.name, link.role, link.key.kid) != (identity.device, Role.LINK, own_link):
        raise UnknownKeyError(str(given / "link.pem"), "is not for this recorder's link key")
    for name, content in new.items():
        disc.replace(folder / name, content)
    return identity


def leave(identity: Path, spool: Path) -> int:
    """Set keys, certificates and spool aside, so that the recorder can be made another unit's; nothing is deleted.

    Returns the number of the journal's last entry, -1 without one: the dock has to hold it before anybody deletes what
    was set aside. Raises BadInputError while evidence waits, HeldError while a recorder runs, ConfigError, DiscError.
    """
    device = read_identity(identity, lambda name: read_file(identity, name)).device
    aside = {folder: folder.with_name(f"{folder.name}.left-{device}") for folder in (identity, spool)}
    if taken := [target for target in aside.values() if target.exists()]:
        raise ConfigError(str(taken[0]), "is there already", "this recorder has left before: look into it")
    with holding(spool):
        last_seq = _last_entry(spool)
        for folder, target in aside.items():
            if folder.exists():
                _rename(folder, target)
    return last_seq


def _last_entry(spool: Path) -> int:
    paths = SpoolPaths(spool)
    if not paths.journal.exists():
        return -1
    with closing(SpoolReader(paths)) as reader:
        if reader.has_waiting():
            raise BadInputError(str(spool), "holds evidence without a receipt", "put it into its dock first")
        return reader.head_seq()


def _rename(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        raise DiscError(str(folder), f"cannot be set aside: {error.strerror}") from error
    sync_folder(target.parent)
