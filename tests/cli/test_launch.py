"""`reflexarc launch` as a user meets it; what it does with processes is tested beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my launch.launch.yaml"
    path.write_text(
        """
launch:
  - arg: {name: who, default: world, description: whom to greet}
  - arg: {name: speed, default: slow, choice: [{value: slow}, {value: fast}]}
  - set_env: {name: MOOD, value: "[good]"}
  - executable: {cmd: "sh -c 'echo hello $0' $(var who)", name: greeter}
  - group:
      - push_ros_namespace: {namespace: inner}
      - node:
          exec: sh
          name: base
          respawn: "true"
          on_exit: shutdown
          param: [{name: autostart, value: true}, {name: port, value: /dev/tty}]
          remap: [{from: cmd_vel, to: nav}]
""",
        encoding="utf-8",
    )
    return path


def test_print_shows_the_resolved_tree_and_starts_nothing(reflexarc: Run, file: Path) -> None:
    done = reflexarc("launch", file, "who:=moon", "--print")
    assert done.code == 0
    for words in (
        "who := moon",
        "greeter",
        "MOOD=[good]",
        "hello",
        "base",
        "(lifecycle, required, respawn after 1 s)",
        "namespace /inner",
        "port: '/dev/tty'",
        "cmd_vel -> nav",
    ):
        assert words in done.out, done.out
    assert "hello moon\n" not in done.out


def test_print_as_json(reflexarc: Run, file: Path) -> None:
    data = json.loads(reflexarc("launch", file, "--print", "--json").out)
    assert data["arguments"] == {"who": "world", "speed": "slow"}
    greeter, base = data["processes"]
    assert greeter["command"][1:] == ["-c", "echo hello $0", "world"]
    assert base["lifecycle"] == "/inner/base"
    assert base["respawn"] == {"delay_s": 1.0, "most": None}
    assert base["environment"] == {"MOOD": "[good]"}


def test_print_tells_of_a_missing_program_and_ends_with_1(reflexarc: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.launch.yaml"
    path.write_text("launch:\n  - executable: {cmd: no_such_program}\n")
    done = reflexarc("launch", path, "--print")
    assert done.code == 1
    assert "missing" in done.out


def test_show_args(reflexarc: Run, file: Path) -> None:
    done = reflexarc("launch", file, "--show-args")
    assert done.code == 0
    assert "whom to greet" in done.out and "slow, fast" in done.out
    data = json.loads(reflexarc("launch", file, "--show-args", "--json").out)
    assert data[0] == {
        "name": "who",
        "default": "world",
        "choices": [],
        "description": "whom to greet",
    }


def test_lines_have_the_name_of_their_process_and_the_last_line_says_how_it_ended(
    reflexarc: Run, tmp_path: Path
) -> None:
    script = tmp_path / "say"
    script.write_text("#!/bin/sh\nprintf '[1] \\033[31mred\\033[0m [/x]\\n'\n")
    script.chmod(0o755)
    path = tmp_path / "a.launch.yaml"
    path.write_text(f"launch:\n  - executable: {{cmd: '{script}', name: 'a [b]'}}\n")
    done = reflexarc("launch", path)
    assert (done.code, done.out) == (0, "[a [b]] [1] red [/x]\n")
    assert done.err.splitlines()[-1] == "[launch] a [b] ended"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["robto"], "did you mean robot?"),
        (["launch/robto.launch.yaml"], "nothing at launch/robto.launch.yaml"),
        (["/tmp"], "a folder: /tmp"),
        (["sim", "scenaro:=a"], "did you mean scenario?"),
        (["sim", "scenario=a"], "write scenario:=a"),
        (["sim", "a"], "write a:=VALUE"),
        (["sim", "autostart:=maybe"], "true or false"),
        (["sim", "seconds:=long"], "a number; found 'long'"),
        (["perception", "split:=maybe"], "true, 1, false or 0"),
        (["no such file.launch.xml"], "nothing at no such file.launch.xml"),
        ([""], "a launch file's path"),
    ],
)
def test_bad_arguments_are_one_line(reflexarc: Run, arguments: list[str], message: str) -> None:
    done = reflexarc("launch", *arguments, "--print")
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1 and "Traceback" not in done.err


def test_an_error_for_machines_has_file_and_line(reflexarc: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.launch.yaml"
    path.write_text("launch:\n  - nod: {}\n")
    done = reflexarc("launch", path, "--json")
    assert done.code == 2
    assert json.loads(done.out) == {
        "error": "LaunchError",
        "expected": json.loads(done.out)["expected"],
        "found": "nod",
        "remedy": "did you mean node?",
        "where": f"{path}:2",
    }
