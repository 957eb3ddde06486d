"""What holds in every scenario."""

from __future__ import annotations

from reflexarc.cli.box.record import Check, Run

_IN_ORDER = (0, 130)
"""130: after the SIGINT with which we end it."""


def checks(run: Run) -> list[Check]:
    """Nothing was touched, everything ended in order, and the motors are off."""
    bumped = run.flight.t[run.flight.bump & (run.flight.t >= run.begin_s)]
    duty = run.flight.duty_at(run.flight.seconds)
    wrong = {name: code for name, code in run.exits.items() if code not in _IN_ORDER}
    words = [str(failure.value) for failure in run.failures]
    words += [f"{name} ended with {code}" for name, code in wrong.items()]
    return [
        Check(
            "nothing is touched",
            f"bumped at {bumped[0] - run.begin_s:.2f} s" if len(bumped) else "no bump",
            not len(bumped),
        ),
        Check("motors off at the end", f"duty {duty[0]}, {duty[1]}", duty == (0, 0)),
        Check("all programs end in order", "; ".join(words) or "they did", not words),
    ]


def near(name: str, found: float, wanted: float, off: float, unit: str) -> Check:
    """A figure that is to be within so much of another."""
    return Check(
        f"{name}: {wanted:.3g} ± {off:g} {unit}",
        f"{found:.3f} {unit}",
        abs(found - wanted) <= off,
    )


def within(name: str, found: float | None, most: float, unit: str) -> Check:
    """A figure that is to be there, and at most so much."""
    return Check(
        f"{name} within {most:g} {unit}",
        "never" if found is None else f"{found:.0f} {unit}",
        found is not None and found <= most,
    )
