"""Persons of a dock with real keys."""

from __future__ import annotations

from collections.abc import Sequence

from dock.folder import DockFolder
from dock.person_desk import PersonDesk, PersonKey, load_person
from evidence.io.durable import PosixDisc
from evidence.persons import Act
from tests.dock.fake_recorder import StillClock
from tests.evidence.people import NAMES


def person_at(folder: DockFolder, person: str, roles: Sequence[Act] = (Act.CLEAR,), name: str = "") -> PersonKey:
    """A person of this dock with his real key; enrolled when he is not yet."""
    out, passphrase = folder.root.parent / f"of-{person}", f"the passphrase of {person}".encode()
    if not out.exists():
        PersonDesk(folder, PosixDisc(), StillClock()).enrol(person, name or NAMES[person], roles, passphrase, out)
    return load_person(out / f"{person}.key", passphrase)
