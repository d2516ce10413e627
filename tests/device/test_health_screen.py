"""The live view, driven by Textual's own pilot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from device.health.card import make_card, with_agent
from device.health.output import Told
from device.health.screen import HealthScreen
from evidence.errors import BadInputError
from evidence.health import State
from tests.device.health_facts import well

SELF_TEST = "liuhen health --self-test --config recorder.toml"


class Teller:
    """What the file says, until a test changes it."""

    def __init__(self, **changed: Any) -> None:
        self.changed = changed
        self.broken = False

    def __call__(self) -> Told:
        if self.broken:
            raise BadInputError("health.json", "is damaged: not JSON")
        facts = well(**self.changed)
        return Told(with_agent(make_card(facts), 1.0), facts)


def drive(teller: Teller, act: Callable[[HealthScreen, Pilot[None]], Awaitable[None]]) -> HealthScreen:
    async def run() -> HealthScreen:
        screen = HealthScreen(teller, SELF_TEST)
        async with screen.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await act(screen, pilot)
        return screen

    return asyncio.run(run())


def shown(screen: HealthScreen, part: str) -> str:
    return str(screen.query_one(f"#{part}", Static).render())


def row(screen: HealthScreen, name: str) -> list[str]:
    return [str(cell) for cell in screen.query_one(DataTable).get_row(name)]


def test_it_shows_every_item_and_what_to_do_about_the_selected_one() -> None:
    async def act(screen: HealthScreen, pilot: Pilot[None]) -> None:
        assert "BWC-0001  CRITICAL" in shown(screen, "head")
        assert row(screen, "card room") == [
            "card room",
            "critical",
            "9 min, 20.0 GB free",
            "warning < 60, critical < 15 min",
        ]
        assert screen.query_one(DataTable).row_count == len(make_card(well()).items) + 1
        assert shown(screen, "todo") == "agent is well."
        place = screen.query_one(DataTable).get_row_index("card room")
        for _ in range(place):
            await pilot.press("down")
        assert shown(screen, "todo").startswith("card room is critical: Put it into the dock")
        await pilot.press("up")
        assert "card room" not in shown(screen, "todo")

    assert drive(Teller(card__minutes_left=9), act).state is State.CRITICAL


def test_it_follows_what_changes_and_keeps_the_selection() -> None:
    teller = Teller()

    async def act(screen: HealthScreen, pilot: Pilot[None]) -> None:
        await pilot.press("down")
        teller.changed = {"state": "fault", "heat__celsius": 90.0}
        screen.refresh_card()
        await pilot.pause()
        assert row(screen, "temperature")[:3] == ["temperature", "critical", "90 °C"]
        assert screen.query_one(DataTable).cursor_row == 1
        assert shown(screen, "todo").startswith("recorder is critical: Take it out of service")

    assert drive(teller, act).state is State.CRITICAL


def test_a_file_that_cannot_be_read_is_said_and_what_was_read_stays() -> None:
    teller = Teller()

    async def act(screen: HealthScreen, pilot: Pilot[None]) -> None:
        teller.broken = True
        screen.refresh_card()
        await pilot.pause()
        assert shown(screen, "head") == "health.json: is damaged: not JSON"
        assert row(screen, "camera")[1] == "ok"
        assert screen.state is State.UNKNOWN
        teller.broken = False
        screen.refresh_card()
        await pilot.pause()
        assert "BWC-0001  OK" in shown(screen, "head")

    drive(teller, act)


def test_s_says_how_to_test_and_q_quits() -> None:
    async def act(screen: HealthScreen, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        assert SELF_TEST in shown(screen, "todo")
        assert "systemctl stop" in shown(screen, "todo")
        await pilot.press("q")
        await pilot.pause()
        assert not screen.is_running

    drive(Teller(), act)
