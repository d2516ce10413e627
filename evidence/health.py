"""The health card: what a recorder says of itself to technicians, signed, and how anybody checks it. Pure.

It is no evidence and no entry of a journal: only the latest one counts, and it proves nothing about a recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evidence.errors import BadInputError
from evidence.journal import VERSION, read_token, sign_token, verify_token
from evidence.model import COUNT_END, DEVICE_ID, Timestamp, is_whole
from evidence.signing import Signer, VerifyKey

HEALTH_TYPE = "liuhen-health"
ITEMS_LIMIT = 64
TEXT_LIMIT = 512


class State(StrEnum):
    """How an item is, best first."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"


ORDER = tuple(State)
EXIT_CODES: Mapping[State, int] = {State.OK: 0, State.WARNING: 1, State.CRITICAL: 2, State.UNKNOWN: 3}
"""As monitoring plugins end (monitoring-plugins.org, development guidelines)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the card: what was read, what it is held against, and what a technician does about it.

    `needed` says that a recorder without this reading is not known to be well; the others are told where they exist.
    """

    name: str
    state: State
    reading: str
    limit: str
    todo: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class HealthCard:
    """A recorder at one instant. `journal_seq` is the number of its last entry then, -1 without one."""

    device: str
    at: Timestamp
    software: str
    journal_seq: int
    items: tuple[Item, ...]

    @property
    def state(self) -> State:
        """The worst of its items."""
        return worst(self.items)

    @property
    def troubles(self) -> tuple[Item, ...]:
        """What is not as it should be, worst first."""
        bad = [item for item in self.items if counted(item) is not State.OK]
        return tuple(sorted(bad, key=lambda item: -ORDER.index(item.state)))

    @property
    def order(self) -> tuple[int, int]:
        """Grows from card to card of one recorder: every boot has entries of its own, within one its clock rules."""
        return self.journal_seq, self.at.boot_us


def counted(item: Item) -> State:
    """The state as far as it counts: what nobody measures on this board is no trouble."""
    return State.OK if item.state is State.UNKNOWN and not item.needed else item.state


def worst(items: Iterable[Item]) -> State:
    """The state of the whole."""
    return max(map(counted, items), key=ORDER.index, default=State.UNKNOWN)


def card_fields(card: HealthCard) -> dict[str, Any]:
    """The JSON form of a card, as it is signed (docs/FORMAT.md)."""
    return {
        "v": VERSION,
        "device": card.device,
        "at": card.at.to_fields(),
        "software": card.software,
        "journal_seq": card.journal_seq,
        "state": card.state.value,
        "items": [
            {
                "name": item.name,
                "state": item.state.value,
                "reading": item.reading,
                "limit": item.limit,
                "todo": item.todo,
                "needed": item.needed,
            }
            for item in card.items
        ],
    }


def sign_card(signer: Signer, card: HealthCard) -> str:
    """The card as a token."""
    return sign_token(signer, HEALTH_TYPE, card_fields(card))


def read_card(token: str, key: VerifyKey, device: str) -> HealthCard:
    """The card of this recorder, verified. Raises BadInputError, SignatureError, NewerVersionError."""
    where = f"health of {device}"
    verify_token(token, key, where)
    _, payload = read_token(token, HEALTH_TYPE, where)
    return card_from_fields(payload, where, device)


def card_from_fields(fields: Mapping[str, Any], where: str, device: str) -> HealthCard:
    """Read the JSON form, as far as it is what this recorder may say. Raises BadInputError."""
    given, software, seq, items = (fields.get(name) for name in ("device", "software", "journal_seq", "items"))
    if not (isinstance(given, str) and DEVICE_ID.fullmatch(given) and given == device):
        raise BadInputError(where, f"is the card of {str(given)[:32]!r}")
    if not (_is_text(software) and is_whole(seq, -1, COUNT_END)):
        raise BadInputError(where, "has an impossible software or journal_seq")
    if not isinstance(items, list) or not 0 < len(items) <= ITEMS_LIMIT:
        raise BadInputError(where, f"does not list 1 to {ITEMS_LIMIT} items")
    card = HealthCard(
        device, Timestamp.from_fields(fields.get("at")), str(software), int(str(seq)),
        tuple(_item(one, where) for one in items),
    )  # fmt: skip
    if fields.get("state") != card.state.value:
        raise BadInputError(where, "states another state than the worst of its items")
    return card


def _item(fields: Any, where: str) -> Item:
    match fields:
        case {
            "name": str(name), "state": str(state), "reading": str(reading), "limit": str(limit), "todo": str(todo),
            "needed": bool(needed),
        } if state in set(State) and all(map(_is_text, (name, reading, limit, todo))):  # fmt: skip
            return Item(name, State(state), reading, limit, todo, needed)
    raise BadInputError(where, f"has an impossible item: {str(fields)[:60]!r}")


def _is_text(value: Any) -> bool:
    """Short and of one line: it will be shown on a technician's terminal."""
    return isinstance(value, str) and len(value) <= TEXT_LIMIT and value.isprintable()
