"""Facts from where they lie: the running parts, the journal, the card, the certificates.

Whatever of it cannot be read, the rest is told: a health card is wanted most when something is broken.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from device.capture.encoder import SOUND_BIT_RATE_BPS
from device.config import Config
from device.health.disc_state import read_disc_state
from device.health.facts import BatteryFacts, CameraFacts, CardFacts, Facts, HeatFacts, MicrophoneFacts
from device.health.gauges import GaugedCamera, GaugedMicrophone
from device.health.journal_view import JournalView
from device.ports import Clock, Hardware
from device.spool import RESERVE_BYTES, SpoolPaths
from evidence.certificates import DAMAGE
from evidence.errors import DiscError, LiuhenError
from evidence.io.durable import Disc
from evidence.io.journal_store import JournalStore
from evidence.io.verify_spool import access_for
from evidence.model import EPOCH, Timestamp

CERTIFICATES = ("signing.pem", "link.pem")
FAULTY_CARD = "card"


@dataclass(frozen=True, slots=True)
class Live:
    """What only a running recorder knows."""

    state: str
    camera: CameraFacts | None
    microphone: MicrophoneFacts | None
    battery: BatteryFacts | None
    heat: HeatFacts | None
    drift_ppm: float | None


def read_live(
    hardware: Hardware,
    camera: GaugedCamera,
    microphone: GaugedMicrophone,
    state: str,
    battery: BatteryFacts | None = None,
    drift_ppm: float | None = None,
) -> Live:
    """Ask the gauges and the ports; a battery that nobody has learnt to know is told as it is read."""
    power, heat = hardware.power.read(), hardware.thermometer.read()
    read = BatteryFacts(power.level_pct, None, power.volts, None, None, power.charging or power.docked)
    seen = HeatFacts(heat.celsius, heat.throttled)
    return Live(state, camera.facts(), microphone.facts(), battery or read, seen, drift_ppm)


class Collector:
    """Gathers the facts of one recorder. Not from two threads at once; reading may take a second the first time."""

    def __init__(self, config: Config, device: str, software: str, disc: Disc, clock: Clock) -> None:
        self._config = config
        self._device = device
        self._software = software
        self._disc = disc
        self._clock = clock
        self._journal = SpoolPaths(config.spool).journal
        self._view = JournalView()

    def collect(self, live: Live | None) -> Facts:
        """All facts now; without `live` those that a recorder leaves behind when it does not run. Raises nothing."""
        readable = self._read_journal()
        now, view = self._clock.now(), self._view
        within_s = self._config.duty.offload_within_minutes * 60
        return Facts(
            device=self._device,
            at=now,
            software=self._software if live else view.software or self._software,
            journal_seq=view.seq,
            state=live.state if live else None,
            camera=live.camera if live else None,
            microphone=live.microphone if live else None,
            card=self._card(readable),
            battery=live.battery if live else None,
            heat=live.heat if live else None,
            drift_ppm=live.drift_ppm if live else None,
            step_us=view.step_us,
            certificate_left_s=certificates_left_s(self._config.identity, now),
            officer=view.officer,
            open=view.open,
            backlog=view.backlog(now, within_s),
            pause=view.pause(now),
            crash_age_s=view.crash_age_s(now),
        )

    def _read_journal(self) -> bool:
        if not self._journal.exists():
            return True
        try:
            with closing(JournalStore(self._journal, access_for(self._journal))) as store:
                self._view.read(store)
        except LiuhenError:
            return False
        return True

    def _card(self, readable: bool) -> CardFacts | None:
        spool = self._config.spool
        # A recorder that has never run has no spool yet, but the card for it.
        spool = spool if spool.exists() else spool.parent
        if not spool.exists():
            return None
        state = read_disc_state(spool)
        try:
            free_bytes: int | None = self._disc.free_bytes(spool)
        except DiscError:
            free_bytes = None
        errors = state.errors or not readable or free_bytes is None or FAULTY_CARD in self._view.faults
        minutes = None if free_bytes is None else minutes_of(free_bytes, self._config.camera.bit_rate_bps)
        return CardFacts(
            free_bytes, minutes, state.read_only, errors, state.wear_pct, state.pre_eol, state.written_bytes
        )


def minutes_of(free_bytes: int, bit_rate_bps: int) -> int:
    """How long the room lasts at this bit rate of pictures, the reserve for sealing left alone."""
    return max(0, free_bytes - RESERVE_BYTES) * 8 // (bit_rate_bps + SOUND_BIT_RATE_BPS) // 60


def certificates_left_s(identity: Path, now: Timestamp) -> float | None:
    """The time until the first of its certificates expires; None when one cannot be read."""
    try:
        read = [x509.load_pem_x509_certificate((identity / name).read_bytes()) for name in CERTIFICATES]
    except (OSError, *DAMAGE):
        return None
    return min((one.not_valid_after_utc - EPOCH).total_seconds() for one in read) - now.utc_us / 1e6
