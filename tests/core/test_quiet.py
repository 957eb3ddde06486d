from __future__ import annotations

import os
import sys

import pytest

from reflexarc.core import quiet


def chatter() -> None:
    print("python out")
    print("python err", file=sys.stderr)
    os.write(1, b"c out\n")
    os.write(2, b"c err\n")


def test_chatter_is_held_back_and_speech_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        chatter()
    print("after")
    assert capfd.readouterr().out == "after\n"


def test_before_a_failure_everything_is_let_through(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), quiet():
        chatter()
        raise ValueError
    said = capfd.readouterr().err
    for words in ("python out", "c out", "c err"):
        assert words in said
