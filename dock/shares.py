"""Split custody: a secret in three shares of which two give it back (SLIP-39). Pure but for chance.

The library is the reference implementation of the standard, by its authors. Its shares are words on paper, each with a
checksum, so that a slip of the pen is told from a wrong share (docs/adr/0014).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.share import Share

from evidence.errors import BadInputError, LiuhenError

SHARES, NEEDED = 3, 2
SECRET_BYTES = 16
"""As strong as P-256 is; 20 words a share."""


def split_secret(secret: bytes) -> tuple[str, ...]:
    """Three shares, of which every two have been tried to give the secret back."""
    [shares] = generate_mnemonics(1, [(NEEDED, SHARES)], secret)
    for pair in combinations(shares, NEEDED):
        if join_shares(pair) != secret:
            raise LiuhenError("shares", "do not give the secret back")
    return tuple(shares)


def join_shares(shares: Sequence[str]) -> bytes:
    """The secret. Raises BadInputError that says which share is damaged, or that they are too few or do not belong."""
    words = [" ".join(share.lower().split()) for share in shares]
    for number, text in enumerate(words, 1):
        try:
            Share.from_mnemonic(text)
        except (MnemonicError, ValueError, IndexError) as error:
            hint = "20 words as they were written down; a wrong one is always found"
            raise BadInputError(
                f"份额 share {number}", "抄写有误 is not a share: a word is wrong or missing", hint
            ) from error
    if len(set(words)) < NEEDED:
        raise BadInputError("份额 shares", f"不足 two different ones are needed, given: {len(set(words))}", "2 of 3")
    try:
        return bytes(combine_mnemonics(list(dict.fromkeys(words))[:NEEDED]))
    except MnemonicError as error:
        raise BadInputError("份额 shares", "不成套 do not belong together", "two of the same splitting") from error
