"""What the overlay costs, against picamera2's own example: two cv2.putText on a BGR picture. Both at 1080p."""

from pathlib import Path
from timeit import repeat

import numpy as np
import pylopdf_fonts_zh_cn

from device.capture.overlay import Mark, Overlay
from device.ports import Frame
from evidence.model import ClockGrade, Officer, Timestamp

WIDTH, HEIGHT = 1920, 1080
FRAMES = 300
ROUNDS = 15


def overlay_us() -> float:
    officer = Officer("330106-0457", "欧阳震华", "杭州市公安局西湖分局北山派出所")
    overlay = Overlay(WIDTH, HEIGHT, officer, "LH-00017", Path(pylopdf_fonts_zh_cn.sans_path()))
    u, v = (np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8) for _ in "uv")
    frame = Frame(np.zeros((HEIGHT, WIDTH), np.uint8), u, v, 0)
    times_us = iter(range(1_795_267_085_123_456, 2**62, 33_333))

    def draw() -> None:
        overlay.draw(frame, Timestamp(next(times_us), 480, ClockGrade.NTP, None, "0" * 32, 0), Mark.RECORDING)

    return min(repeat(draw, number=FRAMES, repeat=ROUNDS)) / FRAMES * 1e6


def put_text_us() -> float:
    import cv2

    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def draw() -> None:
        for line, text in enumerate(("2026-11-21 21:18:05.123 +08:00", "330106-0457 Ouyang Zhenhua Xihu LH-00017")):
            cv2.putText(picture, text, (0, 30 + 40 * line), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0), 2)

    return min(repeat(draw, number=FRAMES, repeat=ROUNDS)) / FRAMES * 1e6


def main() -> None:
    try:
        peer_us = put_text_us()
    except ModuleNotFoundError:
        raise SystemExit("The peer is missing: pip install opencv-python-headless") from None
    own_us = overlay_us()
    print(f"overlay {own_us:.1f} us a frame, cv2.putText twice {peer_us:.1f} us, ratio {own_us / peer_us:.2f}")


if __name__ == "__main__":
    main()
