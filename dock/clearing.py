"""Clearing a blocked recorder: two persons have looked into it, and sign that it may go on (weixian 23(3))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER
from evidence.certificates import Trust
from evidence.errors import BadInputError, RejectedError
from evidence.journal import Entry, read_entry

CLEAR = "clear"
"""What a person signs to have done."""
PERSONS = 2


class Person(Protocol):
    """Who has signed a statement."""

    @property
    def kid(self) -> str:
        """Thumbprint of the key."""

    @property
    def name(self) -> str:
        """The name in the certificate."""


class CheckStatement(Protocol):
    """Who says in this token that he has done `act` about this."""

    def __call__(self, token: str, trust: Trust, act: str, about: Mapping[str, Any]) -> Person:
        """Raises LiuhenError for a token that does not say exactly this, or that no person of the unit has signed."""


def about_block(blocked: Entry) -> dict[str, Any]:
    """What a statement has to be about, so that it clears this one block and no other, later or earlier."""
    return {
        "recorder": blocked.fields["recorder"], "blocked_seq": blocked.seq, "blocked_hash": blocked.head.hash,
    }  # fmt: skip


class Clearing:
    """The dock's side of it."""

    def __init__(self, journal: DockJournal, catalogue: Catalogue, trust: Trust, check: CheckStatement) -> None:
        self._journal = journal
        self._catalogue = catalogue
        self._trust = trust
        self._check = check

    def clear(self, device: str, statements: Sequence[str]) -> Entry:
        """Journal that this recorder is blocked no more. The receiver learns of it with the recorder's next offer.

        Raises BadInputError when it is not blocked, RejectedError unless two different persons say so, DiscError.
        """
        with self._journal.adding() as add:
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            token = self._catalogue.block(device)
            if token is None:
                raise BadInputError(f"recorder {device}", "is not blocked", "liuhen dock blocked lists those that are")
            blocked = read_entry(token, f"block of {device}")
            self._check_persons(blocked, statements)
            fields = {"recorder": device, "blocked_seq": blocked.seq, "statements": list(statements)}
            cleared = add("cleared", fields)
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
        return cleared

    def _check_persons(self, blocked: Entry, statements: Sequence[str]) -> None:
        """Two keys of one person are one person, and two persons with one key are one, too."""
        about = about_block(blocked)
        persons = [self._check(token, self._trust, CLEAR, about) for token in statements]
        keys, names = {person.kid for person in persons}, {person.name for person in persons}
        if not len(persons) == len(keys) == len(names) == PERSONS:
            what = f"needs the statements of {PERSONS} different persons, not of {min(len(keys), len(names))}"
            raise RejectedError(f"clearing {blocked.fields['recorder']}", what)
