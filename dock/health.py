"""The recorders' health cards at the dock: the latest of each, verified. No evidence, and no entry of the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from dock.enrolment import enrolled_key
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.issuing import ISSUING, read_leaf
from dock.renewal import Expiry, expiries
from dock.revocation import RevokedSerials
from evidence.certificates import Trust
from evidence.errors import BadInputError, DiscError, LiuhenError
from evidence.health import HealthCard, Item, State, card_fields, read_card
from evidence.io.volatile import set_whole
from evidence.journal import TOKEN_LIMIT_BYTES
from evidence.model import EPOCH
from evidence.signing import VerifyKey

LOG = logging.getLogger("liuhen.dock")
SILENT_WARNING_S, SILENT_CRITICAL_S = 24 * 3600.0, 72 * 3600.0
"""A recorder is docked at the end of every working day (weixian 14, xuchang 11); a weekend may pass."""
EXPIRY_WARNING_DAYS, EXPIRY_CRITICAL_DAYS = 60, 7
"""As a recorder judges its own certificates (device/health/limits.py)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recorder last said and how long ago; `wrong` says why nothing of it can be shown.

    `own` is what the dock knows of itself, which has no card.
    """

    device: str
    card: HealthCard | None
    age_s: float | None
    wrong: str = ""
    own: tuple[Item, ...] = ()

    @property
    def troubles(self) -> tuple[Item, ...]:
        """What is not as it should be, worst first; silence is trouble too."""
        if self.own:
            return tuple(item for item in self.own if item.state is not State.OK)
        if self.card is None or self.age_s is None:
            todo = "Put it into the dock."
            return (Item("card", State.UNKNOWN, self.wrong or "nothing heard yet", "none", todo),)
        limits = ((SILENT_CRITICAL_S, State.CRITICAL), (SILENT_WARNING_S, State.WARNING))
        silent = [state for limit_s, state in limits if self.age_s > limit_s]
        reading = f"silent for {self.age_s / 3600:.0f} h"
        limit = f"warning > {SILENT_WARNING_S / 3600:.0f}, critical > {SILENT_CRITICAL_S / 3600:.0f} h"
        said = [Item("silence", silent[0], reading, limit, "Put it into the dock.")] if silent else []
        return (*said, *self.card.troubles)


def keep_card(folder: DockFolder, device: str, key: VerifyKey, payload: bytes) -> None:
    """Keep a card that is the recorder's own and not older than the one that is here; say what is wrong with others.

    Raises nothing: a card that cannot be kept must not keep evidence from coming in.
    """
    try:
        if len(payload) > TOKEN_LIMIT_BYTES:
            raise BadInputError(f"health of {device}", "is too long")
        token = payload.decode("ascii", errors="replace").strip()
        card = read_card(token, key, device)
        kept = _kept_card(folder, device, key)
        # The broker gives a retained card again whenever somebody subscribes.
        if kept is None or card.order > kept.order:
            set_whole(folder.health(device), f"{token}\n".encode("ascii"))
    except LiuhenError as error:
        LOG.warning("health not kept recorder=%s reason=%s", device, str(error)[:300].encode("unicode_escape").decode())


def own_certificates(folder: DockFolder, now_utc_us: int) -> Heard:
    """The dock's own certificates, the first to run out first. Raises BadInputError when one cannot be read."""
    now = EPOCH + timedelta(microseconds=now_utc_us)
    items = tuple(_expiry_item(one, (one.ends - now).days) for one in expiries(folder))
    return Heard(JOURNAL_OWNER, None, None, own=items)


def heard(folder: DockFolder, now_utc_us: int) -> Iterator[Heard]:
    """Every enrolled recorder that was not revoked, by name. Raises BadInputError when the folder is no dock."""
    try:
        trust = Trust(folder.ca_certificate.read_bytes(), str(folder.ca_certificate))
    except OSError as error:
        raise BadInputError(str(folder.root), "is no dock folder", "liuhen dock init DIR") from error
    revoked = RevokedSerials(folder.crl).now()
    for path in sorted(folder.enrolled("any").parent.glob("*.pem")):
        device = path.stem
        if read_leaf(path).serial_number in revoked:
            continue
        try:
            key = enrolled_key(folder, trust, device)
            card = None if key is None else _kept_card(folder, device, key, strict=True)
            age_s = None if card is None else now_utc_us / 1e6 - folder.health(device).stat().st_mtime
            yield Heard(device, card, age_s)
        except (LiuhenError, OSError) as error:
            yield Heard(device, None, None, str(error))


def heard_fields(one: Heard) -> dict[str, object]:
    """For a machine: the card as it was signed, or null."""
    return {
        "device": one.device,
        "state": state_of(one).value,
        "age_s": None if one.age_s is None else round(one.age_s, 1),
        "troubles": [[item.name, item.state.value, item.reading] for item in one.troubles],
        "card": None if one.card is None else card_fields(one.card),
    }


def state_of(one: Heard) -> State:
    """The worst of what it said and of its silence."""
    states = [item.state for item in one.troubles]
    return max(states, key=tuple(State).index, default=State.OK)


def print_heard(listed: list[Heard], shown: int = 3) -> None:
    """For a technician with twenty devices: one line each, worst first."""
    order = sorted(listed, key=lambda one: (-tuple(State).index(state_of(one)), one.device))
    width = max((len(one.device) for one in order), default=0)
    for one in order:
        age = "" if one.age_s is None else f"{one.age_s / 60:.0f} min ago"
        worst = "; ".join(f"{item.name}: {item.reading}" for item in one.troubles[:shown])
        more = f" (+{len(one.troubles) - shown})" if len(one.troubles) > shown else ""
        print(f"{one.device:<{width}}  {state_of(one):<8}  {age:>12}  {worst or 'all well'}{more}")


def _expiry_item(expiry: Expiry, days_left: int) -> Item:
    limits = ((EXPIRY_CRITICAL_DAYS, State.CRITICAL), (EXPIRY_WARNING_DAYS, State.WARNING))
    state = next((state for limit, state in limits if days_left < limit), State.OK)
    reading = f"{days_left} days" if days_left >= 0 else f"expired {-days_left} days ago"
    limit = f"warning < {EXPIRY_WARNING_DAYS}, critical < {EXPIRY_CRITICAL_DAYS} days"
    todo = "liuhen dock reissue" if expiry.name == ISSUING else "liuhen dock renew"
    return Item(f"certificate {expiry.name}", state, reading, limit, f"Renew it: {todo} (docs/KEYS.md).")


def _kept_card(folder: DockFolder, device: str, key: VerifyKey, strict: bool = False) -> HealthCard | None:
    """The card that is here; a damaged one is none, or with `strict` an error."""
    path = folder.health(device)
    try:
        return read_card(path.read_text("ascii", errors="replace").strip(), key, device)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DiscError(str(path), f"cannot be read: {error.strerror}") from error
    except LiuhenError:
        if strict:
            raise
        return None
