"""Three shares, of which two give the secret back: any two, and nothing less (SLIP-39)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from dock.shares import SECRET_BYTES, SHARES, join_shares, split_secret
from evidence.errors import BadInputError

SECRET = bytes(range(SECRET_BYTES))
ONE = split_secret(SECRET)
ANOTHER = split_secret(SECRET)


def other_word(share: str, place: int = 9) -> str:
    words = share.split()
    words[place] = "academic" if words[place] != "academic" else "acid"
    return " ".join(words)


def test_any_two_give_it_back_in_any_order_and_spelling() -> None:
    assert len(ONE) == SHARES
    for pair in combinations(ONE, 2):
        assert join_shares(pair) == SECRET
        assert join_shares(pair[::-1]) == SECRET
    assert join_shares(ONE) == SECRET
    assert join_shares([f"  {ONE[0].upper()}\n", ONE[1].replace(" ", "\n")]) == SECRET


BAD: dict[str, tuple[Callable[[], list[str]], str]] = {
    "none": (list, "two different ones"),
    "one": (lambda: [ONE[0]], "two different ones"),
    "one twice": (lambda: [ONE[0], ONE[0].upper()], "two different ones"),
    "of two splittings": (lambda: [ONE[0], ANOTHER[1]], "do not belong together"),
    "a wrong word": (lambda: [ONE[0], other_word(ONE[1])], "share 2: .* a word is wrong"),
    "two words swapped": (lambda: [" ".join(ONE[0].split()[::-1]), ONE[1]], "share 1: .* a word is wrong"),
    "a word missing": (lambda: [ONE[0].rpartition(" ")[0], ONE[1]], "share 1: .* a word is wrong"),
    "no share": (lambda: ["张三", ONE[1]], "share 1"),
    "empty": (lambda: ["", ONE[1]], "share 1"),
}


@pytest.mark.parametrize(("give", "what"), BAD.values(), ids=BAD.keys())
def test_wrong_or_too_few_shares_are_told_in_one_line(give: Callable[[], list[str]], what: str) -> None:
    with pytest.raises(BadInputError, match=what) as caught:
        join_shares(give())
    assert "\n" not in str(caught.value)


def test_shares_of_the_same_secret_are_never_the_same_again() -> None:
    assert not set(ONE) & set(ANOTHER)
