"""A satellite receiver at a serial line, and the real gpsd that listens to it. Sentences come on standard input."""

import os
import subprocess
import sys
import threading
import tty

if __name__ == "__main__":
    sentences, patience = sys.stdin.buffer.read(), threading.Event()
    ours, line = os.openpty()
    tty.setraw(line)
    daemon = subprocess.Popen(["gpsd", "-N", "-n", "-b", os.ttyname(line)])
    while daemon.poll() is None:
        os.write(ours, sentences)
        patience.wait(0.5)
