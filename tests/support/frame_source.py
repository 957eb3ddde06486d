"""A process that writes frames as a simulation does: ``python frame_source.py PATH FRAMES FPS``.

Every pixel of frame n is n modulo 251, so a torn frame shows. It waits on its standard input
for one line before the first frame. FRAMES 0: without end.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from reflexarc.sim.frames import FrameWriter


def main() -> None:
    path, frames, fps = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    writer = FrameWriter(path, (160, 120))
    print("ready", flush=True)
    sys.stdin.readline()
    number = 0
    while not frames or number < frames:
        image = np.full((120, 160, 3), number % 251, np.uint8)
        writer.write(image, time.monotonic_ns(), number * 1_000_000)
        number += 1
        if fps:
            time.sleep(1 / fps)
    writer.close()


if __name__ == "__main__":
    main()
