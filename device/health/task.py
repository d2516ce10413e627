"""The two small tasks of health: the recorder tells its facts and signs its card, the uplink passes the card on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from device.health.card import make_card
from device.health.facts import Facts
from device.health.facts_file import CARD_FILE, write_facts
from device.ports import Clock
from evidence.errors import LinkError
from evidence.health import sign_card
from evidence.io.volatile import set_whole
from evidence.signing import Signer

TELL_S = 5.0
FORWARD_S = 30.0
RETRY_S = 1.0


async def tell_health(collect: Callable[[], Facts], signer: Signer, run_folder: Path, clock: Clock) -> None:
    """Write `health.json` and the signed `health.jws` every few seconds, until cancelled. Raises DiscError.

    Not on the disc thread: a card that hangs is just what has to be told.
    """
    while True:
        await asyncio.to_thread(tell_once, collect, signer, run_folder)
        await clock.sleep(TELL_S)


def tell_once(collect: Callable[[], Facts], signer: Signer, run_folder: Path) -> None:
    """Both files. Raises DiscError."""
    facts = collect()
    write_facts(run_folder, facts)
    set_whole(run_folder / CARD_FILE, f"{sign_card(signer, make_card(facts))}\n".encode("ascii"))


async def forward_health(
    run_folder: Path, publish: Callable[[bytes], None], connected: asyncio.Event, clock: Clock
) -> None:
    """Publish the signed card whenever it has changed, at most twice a minute, until cancelled. Needs no key.

    The first one goes as soon as `connected` is set: a recorder may be docked for seconds only.
    """
    sent = b""
    while True:
        await connected.wait()
        token = await asyncio.to_thread(_read_token, run_folder / CARD_FILE)
        wait_s = FORWARD_S
        if token and token != sent:
            try:
                publish(token)
                sent = token
            except LinkError:
                # Down again, or full of fragments, which go first.
                wait_s = RETRY_S
        await clock.sleep(wait_s if sent else RETRY_S)


def _read_token(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError:
        return b""
