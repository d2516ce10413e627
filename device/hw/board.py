"""The one board that there is: a Raspberry Pi with camera, microphone, three buttons, a light and a dock."""

from __future__ import annotations

import atexit

from device.config import Config
from device.hw.gpiozero_panel import GpiozeroPanel
from device.hw.gpsd_locator import GpsdLocator
from device.hw.picamera2_camera import Picamera2Camera
from device.hw.picamera2_library import load_library
from device.hw.pyaudio_microphone import PyAudioMicrophone
from device.hw.pyaudio_speaker import PyAudioSpeaker
from device.hw.sysfs_power import SysfsPower
from device.hw.sysfs_thermometer import SysfsThermometer
from device.hw.system_clock import SystemClock
from device.ports import Hardware


def open_board(config: Config) -> Hardware:
    """Open what has to be open. Raises ConfigError for a missing library, CaptureError for missing hardware."""
    camera = Picamera2Camera(config.camera, load_library())
    clock = SystemClock()
    panel = GpiozeroPanel()
    atexit.register(panel.close)
    return Hardware(
        camera,
        PyAudioMicrophone(clock),
        PyAudioSpeaker(),
        panel,
        SysfsPower(),
        SysfsThermometer(),
        GpsdLocator(clock),
        clock,
    )
