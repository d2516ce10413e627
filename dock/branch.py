"""The branch of a blocked recorder's journal that the dock does not hold: where it begins, and how far it has landed.

It is evidence too, be it against whoever made it, so it comes into quarantine batch by batch, and its footage follows.
The dock goes back until it has seen where the branches part, for only there it shows whether the recorder was set back
or lives twice. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.errors import LiuhenError
from evidence.forks import ForkError
from evidence.journal import Entry, token_hash

BACK_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class Branch:
    """What has been seen of it."""

    next_seq: int
    """From which entry on it is asked for."""
    end_hash: str
    """The hash of the last entry of it that has come."""
    found: bool
    """Whether it has been seen where it parts from the one that the dock holds."""

    def ask(self, offered_head: int | None) -> int:
        """From which entry on the recorder is to send; in answer to an offer, its last entry shows which one it is."""
        if offered_head is None:
            return self.next_seq
        return max(0, min(self.next_seq - self.found, offered_head))

    def ends_at(self, offered_head: int) -> bool:
        """Whether whoever offers so long a journal may be the one whose branch has landed, or is still going back."""
        return not self.found or self.next_seq == offered_head + 1

    def goes_on(self, first_seq: int) -> bool:
        """Whether entries from this one on come next."""
        return self.found and first_seq == self.next_seq


def branch_after(branch: Branch | None, wrong: LiuhenError | None, last: Entry, held_seq: int) -> Branch | None:
    """What is seen of it after a batch that ends with `last`; None: nothing, this is the dock's own branch.

    That one ends with entry `held_seq`. `wrong` is what was wrong with the batch.
    """
    end_hash = token_hash(last.token)
    if not isinstance(wrong, ForkError):
        # Gone back to where both are the same: forward from here.
        same = branch is not None and not branch.found and last.seq < held_seq
        return Branch(last.seq + 1, end_hash, found=False) if same else None
    seq = wrong.came.seq
    if wrong.parts_here or seq == 0:
        return Branch(last.seq + 1, end_hash, found=True)
    return Branch(max(0, seq - max(BACK_ENTRIES, 2 * (held_seq + 1 - seq))), end_hash, found=False)
