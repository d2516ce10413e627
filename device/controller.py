"""The controller's task: presses and dock contacts -> states -> what the recorder does and the panel shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from device.intake import Intake, Start, Stop
from device.ports import Hardware, Light, Press
from device.recorder import Recorder
from device.states import Action, IllegalInputError, Input, State, step

POLL_S = 0.25
INPUTS = {Press.RECORD: Input.RECORD, Press.STOP: Input.STOP, Press.MARK: Input.BOOKMARK}
LIGHTS = {State.STANDBY: Light.STANDBY, State.RECORDING: Light.RECORDING, State.DOCKED: Light.DOCKED}


class Controller:
    """Decides; the recorder and the journal carry out."""

    def __init__(self, hardware: Hardware, intake: Intake, recorder: Recorder) -> None:
        self._hardware = hardware
        self._intake = intake
        self._recorder = recorder
        self._state = State.STANDBY
        self._inputs: asyncio.Queue[Input] = asyncio.Queue()
        self.docked = asyncio.Event()
        self.undocked = asyncio.Event()
        self.undocked.set()
        self._actions: Mapping[Action, Callable[[], Awaitable[None]]] = {
            Action.NOTHING: self._nothing,
            Action.START: self._start,
            Action.STOP: self._stop,
            Action.BOOKMARK: self._bookmark,
            Action.RESUME: self._nothing,
            Action.DOCK: self._dock,
            Action.STOP_AND_DOCK: self._stop_and_dock,
            Action.UNDOCK: self._undock,
        }

    async def run(self, resume: bool) -> None:
        """Carry out inputs, one after the other, until cancelled. `resume` says that a broken recording goes on."""
        loop = asyncio.get_running_loop()

        def hop(given: Press) -> None:
            loop.call_soon_threadsafe(self._take, given)

        self._hardware.panel.start(hop)
        self._hardware.panel.show(LIGHTS[self._state])
        if resume:
            self._inputs.put_nowait(Input.RESUME)
        while True:
            given = await self._inputs.get()
            await self._carry_out(given)
            self._hardware.panel.show(LIGHTS[self._state])

    async def watch_dock(self) -> None:
        """Turn the dock's contacts into inputs."""
        docked = False
        while True:
            now_docked = self._hardware.power.read().docked
            if now_docked != docked:
                docked = now_docked
                self._inputs.put_nowait(Input.DOCK if docked else Input.UNDOCK)
            await self._hardware.clock.sleep(POLL_S)

    async def shut_down(self) -> None:
        """End a running recording before the power goes."""
        if self._recorder.recording:
            await self._stop_for("shutdown")

    def _take(self, given: Press) -> None:
        if given in INPUTS:
            self._inputs.put_nowait(INPUTS[given])

    async def _carry_out(self, given: Input) -> None:
        try:
            state, action = step(self._state, given)
        except IllegalInputError:
            return
        self._state = state
        await self._actions[action]()

    async def _nothing(self) -> None:
        return

    async def _start(self) -> None:
        self._intake.command(Start("button"))

    async def _stop(self) -> None:
        await self._stop_for("button")

    async def _stop_for(self, trigger: str) -> None:
        stop = Stop(trigger, asyncio.Event())
        self._intake.command(stop)
        await stop.done.wait()

    async def _bookmark(self) -> None:
        await self._recorder.note("bookmark", recording=self._recorder.recording)

    async def _dock(self) -> None:
        await self._recorder.note("docked")
        self.undocked.clear()
        self.docked.set()

    async def _stop_and_dock(self) -> None:
        await self._stop_for("dock")
        await self._dock()

    async def _undock(self) -> None:
        self.docked.clear()
        self.undocked.set()
        await self._recorder.note("undocked")
