"""``python -m reflexarc.sim courier --folder DIR``: the robot in a box, in its own process.

Prints one line of JSON when it is ready, and runs until the scenario's end, SIGTERM, Ctrl-C,
or the end of whoever started it. Exit code 0 when it ended in order, 2 when something that
can be mended stopped it.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import signal
import sys
import tempfile
from pathlib import Path

from reflexarc.core import ReflexarcError
from reflexarc.sim.scenario import load_scenario, packaged_scenarios


def main(arguments: list[str] | None = None) -> int:
    """Run a scenario; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ReflexarcError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before it was ready
        return 130


def _run(options: argparse.Namespace) -> int:
    scenario = load_scenario(options.scenario)
    # MuJoCo takes a moment: what is wrong with the scenario is said first.
    from reflexarc.sim.box import Box

    folder = options.folder or Path(tempfile.mkdtemp(prefix="reflexarc-box-"))
    with Box(
        scenario,
        folder,
        pictures=options.pictures,
        pace=options.pace,
        camera_fps=options.camera_fps,
        seconds=options.seconds,
        waits=options.wait,
        scenario_name=options.scenario,
    ) as box:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda got, _: box.end(signal.Signals(got).name))
        print(json.dumps(box.ready_line), flush=True)
        # A full collection would walk all of MuJoCo's wrappers, in mid-move.
        gc.collect()
        gc.freeze()
        box.run()
    return 0


def _pace(text: str) -> float:
    if text in ("real", "fast"):
        return 1.0 if text == "real" else 0.0
    return _positive(text)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"a number above 0, up to 1000, not {text}")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"0 or more, not {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m reflexarc.sim",
        description="The robot in a box: simulated body, real firmware, rendered camera.",
    )
    parser.add_argument("scenario", help=f"{', '.join(packaged_scenarios())}, or a file")
    parser.add_argument("--folder", type=Path, help="for port, camera, socket and flight log")
    parser.add_argument("--pictures", type=Path, help="folder with digit_5.png, portrait_1.jpg, …")
    parser.add_argument(
        "--pace", type=_pace, default=1.0, help="real, fast, or simulated seconds per second"
    )
    parser.add_argument("--camera-fps", type=_not_negative, help="per simulated second; 0: none")
    parser.add_argument(
        "--seconds", type=_not_negative, help="simulated time until it ends; 0: never"
    )
    parser.add_argument(
        "--wait", action="store_true", help="the scenario begins when the control socket says so"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
