"""What persons have signed for in a dock's journal, judged entry by entry: openings and clearings. Pure.

Whoever has the dock's key can write that evidence was opened or a recorder cleared, but not what persons have to sign
before that (weixian 22, 23(3), xuchang 16). So a verifier believes neither on the dock's word alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evidence.approvals import Ledger
from evidence.certificates import Trust
from evidence.errors import LiuhenError, RejectedError
from evidence.journal import Entry
from evidence.persons import Act, Persons, are_two

PERSONS = 2
"""So many have to say that a recorder may go on."""


def about_block(blocked: Entry) -> dict[str, Any]:
    """What a statement has to be about, so that it clears this one block and no other, later or earlier."""
    return {
        "recorder": blocked.fields["recorder"], "blocked_seq": blocked.seq, "blocked_hash": blocked.head.hash,
    }  # fmt: skip


def check_clearing(persons: Persons, trust: Trust, blocked: Entry, statements: Sequence[str]) -> None:
    """Whether two different persons say that this block is cleared: enrolled, not revoked, with the role for it.

    Raises LiuhenError for a statement that does not say so, RejectedError for less or more than two persons.
    """
    about = about_block(blocked)
    said = [persons.check(token, trust, Act.CLEAR, about) for token in statements]
    if len(said) != PERSONS or not are_two(*said):
        what = "须由两名不同人员声明 needs one statement each of two different persons"
        raise RejectedError(f"解除停用 clearing {blocked.fields['recorder']}", what)


class Acts:
    """Feed it every verified entry of a dock's journal in order."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._ledger = Ledger(trust)
        self.blocks: dict[int, Entry] = {}
        """Where the journal says that a recorder is blocked, and not that two persons have cleared it."""
        self.unsigned: list[tuple[Entry, str]] = []
        """What was done without the statements that it needs, and what is wrong with those that are there."""

    def take(self, entry: Entry) -> None:
        """The next entry. What it needs must stand before it."""
        fields = entry.fields
        match entry.kind:
            case "opened":
                refusal = self._ledger.may_open(fields["request"], fields["recorder"], fields["item"])
                if refusal is not None:
                    self.unsigned.append((entry, f"opens {fields['item']} of {fields['recorder']}: {refusal.value[1]}"))
            case "blocked":
                self.blocks[entry.seq] = entry
            case "cleared":
                self._clear(entry)
        self._ledger.take(entry)

    def _clear(self, entry: Entry) -> None:
        device, until = entry.fields["recorder"], entry.fields["blocked_seq"]
        blocked = self.blocks.get(until)
        try:
            if blocked is None or blocked.fields["recorder"] != device:
                raise RejectedError(f"entry {until}", "does not block it")
            check_clearing(self._ledger.persons, self._trust, blocked, entry.fields["statements"])
        except LiuhenError as error:
            self.unsigned.append((entry, f"clears {device}: {error.where} {error.what}"))
            return
        for seq in [seq for seq, one in self.blocks.items() if seq <= until and one.fields["recorder"] == device]:
            del self.blocks[seq]
