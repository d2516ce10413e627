"""Where gpsd says that this recorder is: one line of JSON, degrees north and east."""

import json
import threading

from device.hw.gpsd_locator import GpsdLocator
from device.hw.system_clock import SystemClock

if __name__ == "__main__":
    locator, patience = GpsdLocator(SystemClock(), again_s=0.2), threading.Event()
    while (position := locator.read()) is None:
        patience.wait(0.1)
    print(json.dumps([position.latitude_deg, position.longitude_deg]))
