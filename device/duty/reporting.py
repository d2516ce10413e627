"""An interruption that lasts too long is reported to the head of the unit, at once and once (pingluo 8)."""

from __future__ import annotations

from collections.abc import Callable

from device.breaks import Break
from device.duty.tools import Tools
from evidence.errors import DiscError
from evidence.model import Officer


class Reporting:
    """Watches the running interruption."""

    def __init__(self, tools: Tools, officer: Callable[[], Officer | None], on_report: Callable[[], None]) -> None:
        """`officer` tells who wears the recorder now; `on_report` is called when a report waits to be sent."""
        self._tools = tools
        self._officer = officer
        self._on_report = on_report
        self._reported: str | None = None

    async def tick(self) -> None:
        """Let time pass."""
        broken, recording = self._tools.recorder.interruption, self._tools.recorder.recording
        if broken is None or recording is None or broken.interruption == self._reported:
            return
        if self._lasted_us(broken) < self._tools.config.report_after_s * 1_000_000:
            return
        self._reported = broken.interruption
        if await self._known(broken.interruption):
            return
        officer = self._officer()
        await self._tools.note(
            "reported",
            interruption=broken.interruption,
            recording=recording,
            cause=broken.cause,
            began=broken.began.to_fields(),
            officer=officer.number if officer else None,
            name=officer.name if officer else None,
            unit=officer.unit if officer else None,
        )
        self._on_report()

    async def _known(self, interruption: str) -> bool:
        """An earlier run has reported it. A card that does not say has not; twice is better than never."""
        try:
            told = await self._tools.thread.run(self._tools.spool.told, "reported")
        except DiscError:
            return False
        return any(fields["interruption"] == interruption for _, fields in told)

    def _lasted_us(self, broken: Break) -> int:
        """Of a break of an earlier boot UTC tells, if it went forward; this boot's own time has passed in any case."""
        now = self._tools.clock.now()
        if broken.began.boot == now.boot:
            return now.boot_us - broken.began.boot_us
        return max(now.boot_us, now.utc_us - broken.began.utc_us)
