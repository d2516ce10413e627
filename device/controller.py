"""The controller's task: presses, breaks, power and dock contacts -> states -> what recorder and duties do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from device.breaks import Happening
from device.duty.duties import Duties
from device.duty.light import Showing, light_for
from device.duty.tools import Tools
from device.intake import Ending, Intake, Start, Stop
from device.ports import Buzz, Hardware, Press
from device.recovery import Recovered
from device.states import Action, IllegalInputError, Input, State, step
from device.voice.voice import Phrase

POLL_S = 0.25
PRESSES: Mapping[Press, Input] = {
    Press.RECORD: Input.RECORD,
    Press.STOP: Input.STOP,
    Press.MARK: Input.MARK,
    Press.NOTE_BEGIN: Input.NOTE_BEGIN,
    Press.NOTE_END: Input.NOTE_END,
    Press.STILL: Input.STILL,
    Press.PAUSE: Input.PAUSE,
}
INPUTS: Mapping[Happening, Input] = {
    Happening.BROKEN: Input.BROKEN,
    Happening.MENDED: Input.MENDED,
    Happening.CAMERA_LOST: Input.CAMERA_LOST,
    Happening.CAMERA_BACK: Input.READY,
}
FAULTS: Mapping[Happening, tuple[str, str, Phrase]] = {
    Happening.CAMERA_LOST: ("camera", "gives no picture", Phrase.FAULT_CAMERA),
    Happening.SOUND_LOST: ("microphone", "gives no sound", Phrase.FAULT_MICROPHONE),
    Happening.CARD_REFUSED: ("card", "takes nothing", Phrase.FAULT_CARD),
}
"""Part, what is wrong with it, and what is said."""
CLEARED: Mapping[Happening, str] = {
    Happening.CAMERA_BACK: "camera",
    Happening.SOUND_BACK: "microphone",
    Happening.CARD_TAKES: "card",
}


class Controller:
    """Decides; recorder, duties and journal carry out."""

    def __init__(self, hardware: Hardware, intake: Intake, tools: Tools, duties: Duties) -> None:
        self._hardware = hardware
        self._intake = intake
        self._tools = tools
        self._duties = duties
        self._recorder = tools.recorder
        self._state = State.STARTING
        self._faults: set[str] = set()
        self._inputs: asyncio.Queue[Input | Happening | Press] = asyncio.Queue()
        self.docked = asyncio.Event()
        self.undocked = asyncio.Event()
        self.undocked.set()
        self.off = asyncio.Event()
        """Set when the recorder has sealed everything and wants its power cut: the battery is empty."""
        self._offloaded = False
        self._actions: Mapping[Action, Callable[[], Awaitable[None]]] = {
            Action.NOTHING: self._nothing,
            Action.CHECK: duties.signing_on.check_soon,
            Action.START: self._start,
            Action.STOP: self._stop,
            Action.MARK: self._mark,
            Action.BEGIN_NOTE: duties.asking.begin_note,
            Action.END_NOTE: duties.asking.end_note,
            Action.STILL: self._still,
            Action.PAUSE: duties.pausing.begin,
            Action.EXTEND_PAUSE: duties.pausing.extend,
            Action.END_PAUSE: self._end_pause,
            Action.END_PAUSE_AND_STOP: self._end_pause_and_stop,
            Action.TELL_BROKEN: self._tell_broken,
            Action.ASK_REASON: self._ask_reason,
            Action.GO_ON: duties.signing_on.check_soon,
            Action.DOCK: self._dock,
            Action.STOP_AND_DOCK: self._stop_and_dock,
            Action.END_PAUSE_AND_DOCK: self._end_pause_and_dock,
            Action.UNDOCK: self._undock,
            Action.SHUT_DOWN: self._shut_down,
            Action.POWER_DOWN: self._power_down,
        }

    @property
    def state(self) -> State:
        """What the recorder is doing."""
        return self._state

    @property
    def faults(self) -> frozenset[str]:
        """Parts that do not work."""
        return frozenset(self._faults)

    async def run(self, recovered: Recovered, presses: Sequence[Press] = ()) -> None:
        """Carry out inputs, one after the other, until cancelled.

        `recovered` says what the last run left open, `presses` what was pressed before.
        """
        loop = asyncio.get_running_loop()

        def hop(press: Press) -> None:
            loop.call_soon_threadsafe(self._inputs.put_nowait, press)

        # Before anything else can happen: a recorder that is switched on in the dock ends there what it finds open.
        if recovered.paused is not None:
            self._duties.pausing.go_on(recovered.paused)
            self._inputs.put_nowait(Input.RESUME_PAUSE)
        elif recovered.interrupted is not None:
            self._inputs.put_nowait(Input.RESUME)
        self._recorder.report_to(self._inputs.put_nowait)
        self._hardware.panel.start(hop)
        for press in presses:
            self._inputs.put_nowait(press)
        self._show()
        await self._duties.signing_on.sign_on()
        while True:
            await self._take(await self._inputs.get())
            self._show()

    async def watch(self) -> None:
        """Everything that time or the world's readings bring about."""
        docked = False
        while True:
            now_docked = self._hardware.power.read().docked
            if now_docked != docked:
                docked = now_docked
                self._inputs.put_nowait(Input.DOCK if docked else Input.UNDOCK)
            if await self._duties.readings.look(self._state):
                self._inputs.put_nowait(Input.BATTERY_CRITICAL)
            await self._duties.deadline.look(self._state)
            await self._duties.tick()
            self._show()
            await self._hardware.clock.sleep(POLL_S)

    def offload_done(self) -> None:
        """The dock has everything that this recorder has."""
        if self._state is State.DOCKED and not self._offloaded:
            self._offloaded = True
            self._tools.buzz(Buzz.DONE)
            self._tools.say(Phrase.OFFLOAD_DONE)

    def report_taken(self) -> None:
        """The dock has an urgent report: the officer need not telephone."""
        self._tools.buzz(Buzz.DONE)
        self._tools.say(Phrase.REPORT_SENT)

    async def shut_down(self) -> None:
        """Seal what is running before the power goes, and say so."""
        await self._take(Input.SHUT_DOWN)
        self._show()

    def _show(self) -> None:
        showing = Showing(
            self._state,
            card_fault="card" in self._faults,
            sound_lost="microphone" in self._faults,
            low=self._duties.readings.low,
            noting=self._duties.asking.noting,
            offloaded=self._offloaded,
        )
        self._hardware.panel.show(light_for(showing))

    async def _take(self, given: Input | Happening | Press) -> None:
        match given:
            case Input():
                await self._carry_out(given)
            case Happening():
                await self._happened(given)
            case Press.CASE_OPENED | Press.CASE_CLOSED:
                await self._case(given)
            case Press():
                if not await self._carry_out(PRESSES[given]):
                    self._tools.buzz(Buzz.REFUSED)

    async def _carry_out(self, given: Input) -> bool:
        """False for an input that has no use now."""
        try:
            state, action = step(self._state, given)
        except IllegalInputError:
            return False
        self._state = state
        await self._actions[action]()
        return True

    async def _happened(self, happening: Happening) -> None:
        if happening in FAULTS:
            await self._fault(*FAULTS[happening])
        elif happening in CLEARED and CLEARED[happening] in self._faults:
            self._faults.remove(CLEARED[happening])
            self._tools.say(Phrase.FAULT_CLEARED)
            await self._tools.note("fault_cleared", part=CLEARED[happening])
        if happening in INPUTS:
            await self._carry_out(INPUTS[happening])

    async def _fault(self, part: str, what: str, phrase: Phrase) -> None:
        if part in self._faults:
            return
        self._faults.add(part)
        self._tools.buzz(Buzz.FAULT)
        self._tools.say(phrase)
        await self._tools.note("fault", part=part, what=what)

    async def _case(self, press: Press) -> None:
        self._recorder.case_open = press is Press.CASE_OPENED
        if self._recorder.case_open:
            self._tools.buzz(Buzz.FAULT)
            self._tools.say(Phrase.TAMPER)
        await self._tools.note("tamper", what=press.value)

    async def _nothing(self) -> None:
        return

    async def _start(self) -> None:
        recording = self._tools.numbers.next_recording()
        self._intake.command(Start("button", recording))
        self._tools.buzz(Buzz.STARTED)
        self._tools.say(Phrase.STARTED)
        waiting = await self._duties.asking.waiting()
        if waiting:
            self._tools.say(Phrase.REASON_STILL_OPEN, len(waiting))
        await self._duties.opening.begin(recording)

    async def _stop(self) -> None:
        await self._stop_for("button")
        await self._stopped()

    async def _stopped(self) -> None:
        self._tools.buzz(Buzz.STOPPED)
        self._tools.say(Phrase.STOPPED)
        if "camera" in self._faults:
            await self._carry_out(Input.CAMERA_LOST)

    async def _stop_for(self, trigger: str, ending: Ending = Ending.STOP) -> None:
        stop = Stop(trigger, asyncio.Event(), ending)
        self._intake.command(stop)
        await stop.done.wait()
        if ending is Ending.STOP:
            await self._duties.opening.end()

    async def _mark(self) -> None:
        if self._duties.asking.press() or self._state in {State.DOCKED, State.PAUSED}:
            return
        await self._tools.note("bookmark", recording=self._recorder.recording)
        self._tools.buzz(Buzz.DONE)
        self._tools.say(Phrase.BOOKMARK)

    async def _still(self) -> None:
        taken = self._duties.stills.take()
        self._tools.buzz(Buzz.DONE if taken else Buzz.REFUSED)
        if taken:
            self._tools.say(Phrase.PHOTO)

    async def _end_pause(self) -> None:
        suspended = self._duties.pausing.recording
        await self._duties.pausing.end("button")
        if suspended is None:
            await self._start()
            return
        self._tools.buzz(Buzz.STARTED)
        self._tools.say(Phrase.RESUMED)

    async def _end_pause_and_stop(self) -> None:
        await self._stop_for("button")
        await self._duties.pausing.end("button")
        await self._stopped()

    async def _tell_broken(self) -> None:
        self._tools.buzz(Buzz.FAULT)
        broken = self._recorder.interruption
        full = broken is not None and broken.cause == "storage_full"
        self._tools.say(Phrase.STORAGE_FULL if full else Phrase.INTERRUPTED)
        await self._duties.readings.note_all()

    async def _ask_reason(self) -> None:
        self._tools.buzz(Buzz.STARTED)
        await self._duties.readings.note_all()
        await self._duties.asking.ask_for_reasons(Phrase.RESUMED)

    async def _dock(self) -> None:
        await self._duties.asking.settle()
        await self._tools.note("docked")
        self._tools.say(Phrase.DOCKED)
        self.undocked.clear()
        self.docked.set()
        await self._duties.asking.ask_for_reasons()

    async def _stop_and_dock(self) -> None:
        await self._stop_for("dock")
        await self._dock()

    async def _end_pause_and_dock(self) -> None:
        await self._stop_for("dock")
        await self._duties.pausing.end("dock")
        await self._dock()

    async def _undock(self) -> None:
        self.docked.clear()
        self.undocked.set()
        self._offloaded = False
        await self._tools.note("undocked")
        await self._duties.signing_on.sign_on()
        await self._duties.signing_on.check_soon()

    async def _shut_down(self) -> None:
        """Switching off in mid-recording is an interruption like any other: somebody has to say why."""
        await self._duties.asking.settle()
        if self._recorder.recording is not None:
            await self._stop_for("operator_stop", Ending.CUT)

    async def _power_down(self) -> None:
        self._tools.buzz(Buzz.LOW)
        self._tools.say(Phrase.BATTERY_STOPPING)
        if self._recorder.recording is not None:
            await self._stop_for("battery_low", Ending.CUT)
        self.off.set()
