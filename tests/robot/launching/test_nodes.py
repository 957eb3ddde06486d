"""From a `node` to its command line, which is what ROS 2's launch would run."""

from __future__ import annotations

from pathlib import Path

import pytest
from launched import Install, Resolve

from reflexarc.robot.launching import LaunchError, Lifecycle, Process, Respawn


def test_a_node_becomes_a_command_line(resolved: Resolve, prefix: Path) -> None:
    [process] = resolved("""
  - arg: {name: port, default: "/dev/my board"}
  - node:
      pkg: demo
      exec: talker
      name: base
      namespace: robot
      args: "--fast 'two words' $(var port)"
      ros_args: "--log-level debug"
      param:
        - {name: port, value: "$(var port)", type: str}
        - {name: limits, value: [1, 2.5]}
        - name: gains
          param: [{name: p, value: 1.0e-7}, {name: i, value: 0}]
      remap: [{from: cmd_vel, to: /nav/cmd_vel}]
""").processes
    assert process.command == (
        str(prefix / "lib/demo/talker"),
        "--fast",
        "two words",
        "/dev/my board",
        "--ros-args",
        "--log-level",
        "debug",
        "-r",
        "__node:=base",
        "-r",
        "__ns:=/robot",
        "-p",
        'port:="/dev/my board"',
        "-p",
        "limits:=[1.0, 2.5]",
        "-p",
        "gains.p:=1.0e-07",
        "-p",
        "gains.i:=0",
        "-r",
        "cmd_vel:=/nav/cmd_vel",
    )


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("value: 3", 3),
        ("value: 3.0", 3.0),
        ("value: true", True),
        ('value: "3"', "3"),  # written as text, so it is text
        ('value: "$(var three)"', 3),  # what comes out of a substitution is YAML
        ('value: "$(var three)", type: str', "3"),
        ('value: "$(var three)", type: float', 3.0),
        ('value: "$(var yes)"', True),
        ('value: "$(var yes)", type: bool', True),
        ('value: "$(var empty)"', ""),
        ('value: "[$(var three), 4]", type: list_of_int', [3, 4]),
        ('value: "[$(var three), 4.5]"', [3.0, 4.5]),
        ('value: ["$(var three)", "$(var three)"]', [3, 3]),
        ("value: [a, b]", ["a", "b"]),
        ('value: "a: b"', "a: b"),
        ('value: "$(var three): b", type: str', "3: b"),
    ],
)
def test_parameters_have_the_types_that_ros_2_gives_them(
    resolved: Resolve, param: str, value: object
) -> None:
    [process] = resolved(f"""
  - let: {{name: three, value: "3"}}
  - let: {{name: "yes", value: "true"}}
  - let: {{name: empty, value: ""}}
  - node: {{pkg: demo, exec: talker, param: [{{name: a, {param}}}]}}
""").processes
    assert process.parameters["a"] == value
    assert type(process.parameters["a"]) is type(value)


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ('name: a, value: "$(var word)", type: int', "a whole number; found 'fast'"),
        ('name: a, value: "$(var word)", type: float', "a number; found 'fast'"),
        ('name: a, value: "$(var word)", type: bool', "true or false; found 'fast'"),
        ("name: a, value: fast, type: int", "of type int; found 'fast'"),
        ("name: a, value: 3, type: float", "of type float; found 3"),
        ("name: a, value: 3, type: integer", "did you mean"),
        ("name: a, value: []", "a list of values of one type"),
        ("name: a, value: [1, b]", "a list of values of one type"),
        ("name: a, value: [[1], [2]]", "found None"),
        ("name: a, value: null", "found None"),
        ('name: a, value: "$(var word): [1"', "that YAML can read"),
        ("name: a", "found neither"),
        ("value: 3", "a parameter with name"),
        ("name: a, from: b.yaml", "keep one of name and from"),
        ("from: nowhere.yaml", "nothing at nowhere.yaml"),
        ("name: a, param: [{value: 1}]", "a parameter with a name below a"),
        ("name: a, value: {b: 1}", "a mapping"),
        ("name: autostart, value: 1", "true or false as the parameter autostart"),
    ],
)
def test_a_parameter_of_a_wrong_type_is_refused_with_its_line(
    resolved: Resolve, param: str, message: str
) -> None:
    with pytest.raises(LaunchError) as caught:
        resolved(f"""
  - let: {{name: word, value: fast}}
  - node: {{pkg: demo, exec: talker, param: [{{{param}}}]}}
""")
    assert message in str(caught.value)
    assert caught.value.where is not None and caught.value.where.line == 4


def test_a_file_of_parameters_is_handed_on(resolved: Resolve, tmp_path: Path) -> None:
    (tmp_path / "my params.yaml").write_text("/**: {ros__parameters: {a: 1}}\n")
    [process] = resolved("""
  - node:
      pkg: demo
      exec: talker
      param: [{from: "$(dirname)/my params.yaml"}, {name: b, value: 2}]
""").processes
    at = process.command.index("--params-file")
    assert process.command[at + 1] == str(tmp_path / "my params.yaml")
    assert process.command.index("b:=2") > at  # what comes later wins


def one(resolved: Resolve, attributes: str) -> Process:
    [process] = resolved(
        f"  - node: {{pkg: demo, exec: talker, name: base, {attributes}}}\n"
    ).processes
    return process


def test_a_node_with_autostart_is_brought_up_by_us(resolved: Resolve) -> None:
    process = one(resolved, "namespace: a, param: [{name: autostart, value: true}]")
    assert process.lifecycle == Lifecycle("/a/base")
    assert "autostart:=false" in process.command


def test_a_node_that_should_not_start_is_left_alone(resolved: Resolve) -> None:
    process = one(resolved, "param: [{name: autostart, value: false}]")
    assert process.lifecycle is None
    assert "autostart:=false" in process.command


def test_a_node_with_autostart_needs_a_name(resolved: Resolve) -> None:
    with pytest.raises(LaunchError, match="add `name:`"):
        resolved("  - node: {pkg: demo, exec: talker, param: [{name: autostart, value: true}]}\n")


@pytest.mark.parametrize(
    ("attributes", "respawn"),
    [
        ('respawn: "true"', Respawn(1.0, None)),
        ('respawn: "true", respawn_delay: 2.5, respawn_max_retries: 3', Respawn(2.5, 3)),
        ('respawn: "true", respawn_max_retries: -1', Respawn(1.0, None)),
        ('respawn: "false", respawn_delay: 2.5', None),
        ("output: screen", None),
    ],
)
def test_respawn(resolved: Resolve, attributes: str, respawn: Respawn | None) -> None:
    assert one(resolved, attributes).respawn == respawn


def test_a_required_node(resolved: Resolve) -> None:
    assert one(resolved, "on_exit: shutdown").required
    assert not one(resolved, "output: screen").required


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("on_exit: restart", "shutdown as on_exit"),
        ("output: scren", "did you mean screen"),
        ("name: two words", "a node's name of letters"),
        ("namespace: two words", "a namespace"),
        ("namespace: a//b", "a namespace"),
        ("cwd: /nowhere/at/all", "nothing at /nowhere/at/all"),
        ('args: "it\'s"', "no closing quotation"),
        ('env: [{name: "A=B", value: c}]', "an environment variable"),
        ('respawn: "maybe"', "as respawn"),
    ],
)
def test_attributes_that_cannot_be_used(resolved: Resolve, attributes: str, message: str) -> None:
    with pytest.raises(LaunchError, match=message):
        resolved(f"  - node: {{pkg: demo, exec: talker, {attributes}}}\n")


def test_an_executable_is_a_command(resolved: Resolve) -> None:
    [process] = resolved("""
  - let: {name: text, value: "two words; rm -rf /"}
  - executable: {cmd: "sh -c 'echo \\"$0\\"' $(var text)", name: say, cwd: /}
""").processes
    # What comes out of a substitution is never split, and no shell reads it.
    assert process.command[1:] == ("-c", 'echo "$0"', "two words; rm -rf /")
    assert (process.label, process.cwd) == ("say", Path("/"))


def test_a_prefix_stands_before_the_command(resolved: Resolve) -> None:
    process = one(resolved, "launch-prefix: nice -n 5")
    assert process.command[:3] == ("nice", "-n", "5")


def test_no_two_labels_are_alike(resolved: Resolve) -> None:
    launch = resolved("""
  - node: {pkg: demo, exec: talker, name: base, namespace: left}
  - node: {pkg: demo, exec: talker, name: base, namespace: right}
  - executable: {cmd: sleep 1}
  - executable: {cmd: sleep 2}
""")
    labels = [process.label for process in launch.processes]
    assert labels == ["left/base", "right/base", "sleep", "sleep-2"]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("node: {pkg: demo, exec: talkr}", "demo: talker; found talkr; did you mean talker"),
        ("node: {pkg: dmo, exec: talker}", "an installed ROS package.*did you mean demo"),
        ("node: {pkg: reflexarc, exec: baze_node}", "an executable of the package reflexarc"),
        ("node: {exec: no_such_program}", "a program on the PATH"),
        ("executable: {cmd: no_such_program --now}", "a program on the PATH"),
    ],
)
def test_a_missing_executable_stops_the_launch_before_it_begins(
    resolved: Resolve, tag: str, message: str
) -> None:
    launch = resolved(f"  - executable: {{cmd: sleep 1}}\n  - {tag}\n")
    with pytest.raises(LaunchError, match=message) as caught:
        launch.check()
    assert caught.value.where is not None and caught.value.where.line == 3


def test_a_file_that_may_not_be_executed_is_no_executable(
    resolved: Resolve, install: Install
) -> None:
    install("demo", "readme", "text").chmod(0o644)
    with pytest.raises(LaunchError, match="found readme"):
        resolved("  - node: {pkg: demo, exec: readme}\n").check()


def test_nothing_to_start_is_an_error(resolved: Resolve) -> None:
    with pytest.raises(LaunchError, match="something to start"):
        resolved('  - node: {if: "false", pkg: demo, exec: talker}\n').check()


def test_a_console_script_of_an_installed_package_is_an_executable(resolved: Resolve) -> None:
    launch = resolved("  - node: {pkg: reflexarc, exec: reflexarc}\n")
    launch.check()
    assert Path(launch.processes[0].command[0]).name == "reflexarc"


def test_share_folders_are_found(resolved: Resolve, prefix: Path) -> None:
    launch = resolved("""
  - log: {message: "$(find-pkg-share demo)"}
  - log: {message: "$(find-pkg-prefix demo)"}
  - log: {message: "$(exec-in-pkg talker demo)"}
  - log: {message: "$(find-pkg-share reflexarc)/launch/sim.launch.yaml"}
""")
    share, root, program, ours = launch.root.messages()
    assert (share, root) == (str(prefix / "share/demo"), str(prefix))
    assert program == str(prefix / "lib/demo/talker")
    assert Path(ours).is_file()
