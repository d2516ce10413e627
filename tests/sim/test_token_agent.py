"""The whole agent with its signing key in a real token (SoftHSM2) that is away when it starts, and again later."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from device.ports import Light, Press
from evidence.account import Use, accounts
from evidence.certificates import Trust
from evidence.io.verify_files import verify_path
from evidence.signing import ES256
from evidence.verify import Verdict
from sim.day.loop import run_world
from sim.day.unit import make_unit
from sim.day.world import World
from tests.device.cards import fast_folder
from tests.evidence.softhsm import new_place, unplugged
from tests.sim.test_troubled_agent import breaks, entries_of, light, wait


async def a_loose_plug(out: Path) -> None:
    world = World(out, 1)
    with unplugged():
        life = asyncio.create_task(world.live())
        await wait(world, 12)
        assert light(world) is Light.FAULT
        world.press(Press.RECORD)
        await wait(world, 10)
        assert light(world) is Light.INTERRUPTED
    await wait(world, 20)
    assert light(world) is Light.RECORDING
    with unplugged():
        await wait(world, 90)
        assert light(world) is Light.RECORDING
    await wait(world, 20)
    world.press(Press.STOP)
    await wait(world, 10)
    world.switch_off(None)
    await life
    world.station.close()
    assert world.deaths == []


def test_a_recorder_records_on_while_its_token_is_away_and_all_that_it_recorded_is_authentic() -> None:
    with ExitStack() as hold:
        folder = hold.enter_context(fast_folder())
        make_unit(folder / "out", new_place(folder, "liuhen"))
        run_world(a_loose_plug(folder / "out"))
        spool = folder / "out" / "spool"
        entries = entries_of(spool)
        report = verify_path(spool, Trust((folder / "out" / "ca.pem").read_bytes()))
    assert (report.verdict, report.defects) == (Verdict.AUTHENTIC, [])
    assert entries[0].alg == ES256
    (account,) = accounts(entries)
    # From the press to the first picture behind the token's return; the second time nothing was missed.
    assert [(cause, part) for cause, part, _ in breaks(account)] == [("device_fault", "key")]
    assert account.total_us(Use.UNEXPLAINED) < 20_000_000
    assert account.total_us(Use.RECORDED) > 120_000_000
    told = [entry.kind for entry in entries if entry.fields.get("part") == "key" and entry.kind != "interruption"]
    assert told == ["fault", "fault_cleared", "fault", "fault_cleared"]
