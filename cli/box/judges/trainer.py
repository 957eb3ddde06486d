"""The trainer: counts exactly the sit-ups of the film, and nods for each."""

from __future__ import annotations

from itertools import pairwise

from reflexarc.cli.box.judges.signals import nods
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

# By eye, frame by frame: she lies down again at these frames of the 100, the end of a
# sit-up. What ends at frame 30 began before the loop's end, so it is none in the first loop.
_FIRST_ENDS, _SECOND_ENDS = 84, 30
_EARLY_FRAMES = 8
"""She is nearly down so many frames before; the count may come then."""
_LATE_S = 2.0
_TARGET = 2


def is_over(live: Live) -> bool:
    """It has said the count, and nodded for the last one."""
    return live.count("said") > 0 and live.count("finished", "gesture") >= _TARGET


def checks(run: Run) -> list[Check]:
    """By the frames that the board has shown, the tilt servo's pulses, and what was said."""
    done = completions(run)
    counted = [event.t for event in run.of("progress", "count")]
    nodded = nods(run.flight, run.begin_s, run.flight.seconds)
    told = [event.value["text"] for event in run.of("said")]
    result = [event.value["result"].get("sit_ups") for event in run.of("finished", "count")]
    wanted = [when for _, when in done][:_TARGET]
    pairs = list(zip(done, counted, strict=False))
    return [
        Check(
            "it counts each sit-up, and no other",
            f"{len(counted)} of {len(wanted)}",
            len(counted) == len(wanted) == _TARGET,
        ),
        Check(
            f"each within {_LATE_S:g} s of its end on the board",
            ", ".join(f"{at - end:+.2f} s" for (_, end), at in pairs) or "none",
            len(pairs) == _TARGET
            and all(early <= at <= end + _LATE_S for (early, end), at in pairs),
        ),
        Check("it nods for each (tilt pulses)", f"{len(nodded)} nods", len(nodded) == _TARGET),
        Check(
            "each nod follows its count within 1 s",
            ", ".join(f"{n - c:+.2f} s" for n, c in zip(nodded, counted, strict=False)) or "none",
            len(nodded) == len(counted)
            and all(-0.2 <= n - c <= 1 for n, c in zip(nodded, counted, strict=True)),
        ),
        Check(
            "it says the count",
            "; ".join(told) or "nothing",
            bool(told) and str(_TARGET) in told[-1] and result == [float(_TARGET)],
        ),
    ]


def completions(run: Run) -> list[tuple[float, float]]:
    """Of each sit-up on the board: from when on it may be counted, and its end."""
    frames = [
        (float(line["t"]), int(line["frame"]))
        for line in run.flight.lines.get("picture", [])
        if line["picture"] is not None and line["t"] >= run.begin_s - 0.1
    ]
    done, loop = [], 0
    for (_, before), (t, frame) in pairwise(frames):
        loop += frame < before
        for end in (_FIRST_ENDS, _SECOND_ENDS):
            if before < end <= frame and not (end == _SECOND_ENDS and loop == 0):
                early = [at for at, number in frames if at <= t and number >= end - _EARLY_FRAMES]
                same = [at for at in early if at > t - 2.0]
                done.append((min(same, default=t), t))
    return done
