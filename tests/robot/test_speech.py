"""Speech through a program on PATH that notes what it is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reflexarc.robot.speech import Speaker


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for espeak-ng; what it has said so far."""
    log = tmp_path / "heard"
    program = tmp_path / "espeak-ng"
    program.write_text(f'#!/bin/sh\necho "$@: $(cat)" >> {log}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return log


def wait_for(log: Path, lines: int) -> list[str]:
    end = time.monotonic() + 20
    while not log.exists() or len(log.read_text().splitlines()) < lines:
        assert time.monotonic() < end
        time.sleep(0.01)
    return log.read_text().splitlines()


def test_each_text_in_its_language_one_after_the_other(heard: Path) -> None:
    speaker = Speaker()
    assert not speaker.is_silent
    for text in ("hello", "你好", "--version; rm -rf $HOME"):
        speaker.say(text)
    assert wait_for(heard, 3) == [
        "-v en --stdin: hello",
        "-v cmn --stdin: 你好",
        "-v en --stdin: --version; rm -rf $HOME",
    ]
    speaker.close()
    speaker.close()


def test_without_the_program_nothing_is_said_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = Speaker()
    assert speaker.is_silent
    speaker.say("hello")
    speaker.close()


def test_a_program_that_does_not_run_makes_it_silent(tmp_path: Path) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text("no program")
    broken.chmod(0o755)
    speaker = Speaker(str(broken))
    speaker.say("hello")
    end = time.monotonic() + 20
    while not speaker.is_silent:
        assert time.monotonic() < end
        time.sleep(0.01)
    speaker.say("hello")
    speaker.close()


def test_closing_falls_silent_in_mid_word_and_leaves_the_rest_unsaid(
    tmp_path: Path, heard: Path
) -> None:
    (tmp_path / "espeak-ng").write_text(f"#!/bin/sh\necho begun >> {heard}\nexec sleep 60\n")
    speaker = Speaker()
    for i in range(30):  # more than it keeps
        speaker.say(f"text {i}")
    wait_for(heard, 1)
    speaker.close()
    assert speaker._thread is not None
    assert not speaker._thread.is_alive()
    assert heard.read_text() == "begun\n"
