"""Programs that start, speak, die and are ended; `reflexarc launch` runs as a shell runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from launched import Install, Launched, Write
from programs import run_program

Run = Callable[..., Launched]

SLEEPER = "  - executable: {cmd: sleep 1000, name: sleeper}\n"


def test_lines_come_with_the_name_of_their_process(launched: Run) -> None:
    run = launched("""
  - log: {message: it begins}
  - executable: {cmd: "sh -c 'echo out; echo err >&2; printf no_newline; exit 0'", name: "a b"}
""")
    assert run.wait() == 0
    assert [e["text"] for e in run.told if e["kind"] == "message"] == ["it begins"]
    lines = [(e["process"], e["text"]) for e in run.told if e["kind"] == "line"]
    assert lines == [("a b", "out"), ("a b", "err"), ("a b", "no_newline")]
    assert run.summary == "a b ended"


def test_any_bytes_and_long_lines_are_passed_on(launched: Run, install: Install) -> None:
    text = "import os; os.write(1, b'\\xff\\n' + b'x' * 200000 + b'\\nend\\n')"
    install("demo", "odd", f"#!{sys.executable}\n{text}\n")
    run = launched("  - node: {pkg: demo, exec: odd}\n")
    assert run.wait() == 0, run.transcript()
    lines = [e["text"] for e in run.told if e["kind"] == "line"]
    assert lines[0] == "\ufffd" and lines[-1] == "end"
    assert sum(len(line) for line in lines[1:-1]) == 200_000


def test_each_process_has_its_own_environment_and_folder(
    launched: Run, install: Install, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    install("demo", "show", '#!/bin/sh\necho "$SHARED, $OWN, $PWD"\n')
    run = launched(f"""
  - set_env: {{name: SHARED, value: "of all"}}
  - node:
      pkg: demo
      exec: show
      name: a
      cwd: "{folder}"
      env: [{{name: OWN, value: "a's own"}}]
  - node: {{pkg: demo, exec: show, name: b, cwd: /}}
""")
    assert run.wait() == 0, run.transcript()
    lines = {e["process"]: e["text"] for e in run.told if e["kind"] == "line"}
    assert lines == {"a": f"of all, a's own, {folder}", "b": "of all, , /"}


def test_nodes_of_a_package_in_a_folder_with_spaces_get_their_arguments(
    launched: Run, install: Install
) -> None:
    install("demo", "say it", '#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n')
    run = launched("""
  - node: {pkg: demo, exec: "say it", args: "'two words'", param: [{name: a, value: b c}]}
""")
    assert run.wait() == 0
    lines = [e["text"] for e in run.told if e["kind"] == "line"]
    assert lines == ["<two words>", "<--ros-args>", "<-p>", '<a:="b c">']


def test_ctrl_c_ends_all_and_leaves_nothing_behind(launched: Run) -> None:
    run = launched(
        SLEEPER
        # One that has children of its own, which do not listen.
        + '  - executable: {cmd: "sh -c \'trap \\"\\" INT; sleep 1000 & sleep 1000 & echo up; '
        "trap - INT; wait'\", name: parent}\n"
    )
    run.line("up")
    assert len(run.left()) > 4
    assert run.end() == 130
    assert run.left() == []
    assert run.summary.startswith("Ctrl-C: ")


def test_a_program_hears_ctrl_c_before_what_it_started(launched: Run, install: Install) -> None:
    install(
        "demo",
        "parent",
        "#!/bin/sh\nsleep 1000 & child=$!\n"
        "trap 'sleep 0.1; kill -0 $child && echo my child lives; exit 0' INT\n"
        "echo up\nwait\n",
    )
    run = launched("  - node: {pkg: demo, exec: parent}\n")
    run.line("up")
    assert run.end() == 130
    assert [e["text"] for e in run.told if e["kind"] == "line"] == ["up", "my child lives"]
    assert run.left() == []


def test_sigterm_ends_all_with_0(launched: Run) -> None:
    run = launched(SLEEPER)
    run.started("sleeper")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert run.summary == "SIGTERM: sleeper stopped"
    assert run.left() == []


def test_who_does_not_listen_to_sigint_gets_sigterm_then_sigkill(launched: Run) -> None:
    run = launched("""
  - executable: {cmd: "sh -c 'trap \\"\\" INT; echo up; while :; do sleep 0.05; done'", name: deaf,
                 sigterm_timeout: 0.2}
  - executable: {cmd: "sh -c 'trap \\"\\" INT TERM; echo up; while :; do sleep 0.05; done'",
                 name: mad, sigterm_timeout: 0.2, sigkill_timeout: 0.2}
""")
    run.line("up")
    run.line("up")
    assert run.end() == 130
    assert run.summary == "Ctrl-C: deaf stopped only by SIGTERM; mad stopped only by SIGKILL"
    assert run.left() == []


def test_who_is_killed_shows_where_it_hung(launched: Run, tmp_path: Path) -> None:
    script = tmp_path / "mad.py"
    script.write_text(
        "import faulthandler, signal, time\n"
        "faulthandler.enable()\n"
        "for each in (signal.SIGINT, signal.SIGTERM): signal.signal(each, signal.SIG_IGN)\n"
        "def wait_for_ever():\n"
        "    print('up', flush=True)\n"
        "    time.sleep(1000)\n"
        "wait_for_ever()\n"
    )
    run = launched(f"""
  - executable: {{cmd: "{sys.executable} {script}", name: mad,
                 sigterm_timeout: 0.2, sigkill_timeout: 0.2}}
""")
    run.line("up")
    assert run.end() == 130
    assert run.summary == "Ctrl-C: mad stopped only by SIGKILL"
    assert any("in wait_for_ever" in e["text"] for e in run.told if e["kind"] == "line")
    assert run.left() == []


def test_a_second_ctrl_c_kills_at_once(launched: Run) -> None:
    run = launched("""
  - executable: {cmd: "sh -c 'trap \\"\\" INT TERM; echo up; while :; do sleep 0.05; done'",
                 name: mad, sigterm_timeout: 1000.0, sigkill_timeout: 1000.0}
""")
    run.line("up")
    run.signal(signal.SIGINT)
    run.told_of("stopping")
    assert run.end() == 130
    assert run.summary == "Ctrl-C: mad stopped only by SIGKILL"


def test_when_the_launcher_is_killed_nothing_outlives_it(launched: Run) -> None:
    run = launched(SLEEPER + "  - executable: {cmd: sleep 999, name: other}\n")
    run.started("sleeper")
    run.started("other")
    run.signal(signal.SIGKILL)
    run.wait()
    assert run.left_in_the_end() == []


def test_when_a_required_process_dies_all_end_with_its_code(launched: Run) -> None:
    run = launched(
        SLEEPER
        + "  - executable: {cmd: \"sh -c 'sleep 0.2; echo no board >&2; exit 7'\", name: base,"
        " on_exit: shutdown}\n"
    )
    assert run.wait() == 7
    assert run.summary == (
        "base, which is required, failed with exit code 7 (no board): sleeper stopped"
    )
    assert run.left() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, 137), (signal.SIGSEGV, 139)])
def test_when_a_required_process_is_killed_all_end(
    launched: Run, number: signal.Signals, code: int
) -> None:
    run = launched(SLEEPER + "  - executable: {cmd: sleep 9, name: base, on_exit: shutdown}\n")
    os.kill(run.started("base"), number)
    assert run.wait() == code
    assert f"base, which is required, was killed by {number.name}" in run.summary


def test_when_any_other_process_dies_the_rest_goes_on(launched: Run) -> None:
    run = launched(SLEEPER + "  - executable: {cmd: \"sh -c 'exit 3'\", name: extra}\n")
    run.told_of("ended", "extra", "failed with exit code 3")
    assert run.process.poll() is None
    assert run.end() == 130
    assert run.summary == "Ctrl-C: sleeper stopped; extra failed with exit code 3"


def test_when_all_have_ended_it_ends_with_the_code_of_the_first_that_failed(launched: Run) -> None:
    run = launched("""
  - executable: {cmd: "sh -c 'exit 0'", name: a}
  - executable: {cmd: "sh -c 'exit 3'", name: b}
  - executable: {cmd: "sh -c 'exit 4'", name: c}
""")
    assert run.wait() == 3


def test_what_dies_starts_again_each_time_later(launched: Run) -> None:
    run = launched("""
  - executable: {cmd: "sh -c 'exit 1'", name: flaky, respawn: "true", respawn_delay: 0.05,
                 respawn_max_retries: 3}
""")
    assert run.wait() == 1
    waits = [e["text"] for e in run.told if e["kind"] == "respawn"]
    assert waits == ["starts again in 0.05 s", "starts again in 0.1 s", "starts again in 0.2 s"]
    assert len([e for e in run.told if e["kind"] == "started"]) == 4


def test_ctrl_c_ends_the_waiting_for_a_new_start(launched: Run) -> None:
    run = launched("""
  - executable: {cmd: "sh -c 'exit 1'", name: flaky, respawn: "true", respawn_delay: 1000.0}
""")
    run.told_of("respawn", "flaky")
    assert run.end() == 130


def test_what_cannot_be_started_ends_the_launch(launched: Run, install: Install) -> None:
    install("demo", "broken", "#!/no/such/interpreter\n")
    run = launched(SLEEPER + "  - node: {pkg: demo, exec: broken}\n")
    assert run.wait() == 2
    assert "to start broken" in run.err and "a.launch.yaml:3" in run.err
    assert run.left() == []


def test_a_missing_executable_is_told_before_anything_starts(launched: Run) -> None:
    run = launched(SLEEPER + "  - node: {pkg: demo, exec: no_such_program}\n")
    assert run.wait() == 2
    assert not [e for e in run.told if e.get("kind") == "started"]
    assert "Traceback" not in run.err


def test_when_nobody_reads_any_more_all_end(write: Write, environment: dict[str, str]) -> None:
    file = write("  - executable: {cmd: \"sh -c 'while :; do echo a; sleep 0.01; done'\"}\n")
    variables = {k: v for k, v in os.environ.items() if k.startswith(("LD_", "_ROS"))}
    command = [sys.executable, "-m", "reflexarc.cli", "launch", str(file)]
    with run_program(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**variables, **environment}
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"[sh] a\n"
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert "Traceback" not in said
