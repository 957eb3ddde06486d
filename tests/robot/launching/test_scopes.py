"""Arguments, `let`, groups and included files: what is known where, as in ROS 2."""

from __future__ import annotations

import pytest
from launched import Resolve, Write

from reflexarc.robot.launching import Launch, LaunchError


def words(launch: Launch) -> list[str]:
    return list(launch.root.messages())


def test_an_argument_has_its_default_or_what_is_given(resolved: Resolve) -> None:
    text = """
  - arg: {name: pace, default: real}
  - log: {message: "$(var pace)"}
"""
    assert words(resolved(text)) == ["real"]
    assert words(resolved(text, pace="fast")) == ["fast"]
    assert resolved(text, pace="fast").arguments["pace"].value == "fast"


def test_a_default_may_use_earlier_arguments(resolved: Resolve) -> None:
    text = """
  - arg: {name: folder, default: /tmp/box}
  - arg: {name: port, default: "$(var folder)/tty"}
  - log: {message: "$(var port)"}
"""
    assert words(resolved(text)) == ["/tmp/box/tty"]
    assert words(resolved(text, folder="/x y")) == ["/x y/tty"]


def test_an_argument_without_default_must_be_given(resolved: Resolve) -> None:
    text = "  - arg: {name: port, description: the serial port}\n"
    with pytest.raises(LaunchError, match=r"port \(the serial port\).*add port:=VALUE"):
        resolved(text)


def test_an_argument_has_one_of_its_choices(resolved: Resolve) -> None:
    text = """
  - arg: {name: pace, default: real, choice: [{value: real}, {value: fast}]}
  - log: {message: "$(var pace)"}
"""
    assert words(resolved(text, pace="fast")) == ["fast"]
    with pytest.raises(LaunchError, match="one of real, fast; found 'fsat'; did you mean fast"):
        resolved(text, pace="fsat")


def test_an_argument_that_no_file_declares_is_refused_with_the_nearest(resolved: Resolve) -> None:
    with pytest.raises(LaunchError, match="did you mean scenario"):
        resolved("  - arg: {name: scenario, default: a}\n", scenaro="b")


def test_an_argument_may_be_declared_where_a_condition_does_not_reach(resolved: Resolve) -> None:
    text = """
  - group:
      if: "false"
      children:
        - arg: {name: inner, default: a}
"""
    assert resolved(text, inner="b").arguments["inner"].value is None


def test_a_group_keeps_what_is_set_in_it(resolved: Resolve) -> None:
    text = """
  - let: {name: a, value: outside}
  - group:
      - let: {name: a, value: inside}
      - let: {name: b, value: inside}
      - log: {message: "$(var a)"}
  - log: {message: "$(var a) $(var b none)"}
"""
    assert words(resolved(text)) == ["inside", "outside none"]


def test_a_group_that_is_not_scoped_lets_it_out(resolved: Resolve) -> None:
    text = """
  - group:
      scoped: false
      children:
        - let: {name: a, value: inside}
  - log: {message: "$(var a none)"}
"""
    assert words(resolved(text)) == ["inside"]


def test_the_environment_is_scoped_too(resolved: Resolve) -> None:
    text = """
  - set_env: {name: A, value: outside}
  - group:
      - set_env: {name: A, value: "$(env A) and inside"}
      - append_env: {name: LIST, value: one}
      - append_env: {name: LIST, value: two}
      - append_env: {name: LIST, value: zero, prepend: true, separator: ","}
      - unset_env: {name: HOME}
      - node: {pkg: demo, exec: talker, env: [{name: B, value: "only $(var a here)"}]}
  - node: {pkg: demo, exec: talker}
"""
    inner, outer = resolved(text).processes
    assert inner.changes == {
        "A": "outside and inside",
        "LIST": "zero,one:two",
        "B": "only here",
        "HOME": None,
    }
    assert "HOME" not in inner.environment
    assert outer.changes == {"A": "outside"}
    assert outer.environment["HOME"] == "/home/me"


def test_namespaces_are_pushed_and_popped_with_groups(resolved: Resolve) -> None:
    text = """
  - node: {pkg: demo, exec: talker, name: a}
  - group:
      - push_ros_namespace: {namespace: robot1}
      - node: {pkg: demo, exec: talker, name: b}
      - node: {pkg: demo, exec: talker, name: c, namespace: eyes}
      - node: {pkg: demo, exec: talker, name: d, namespace: /alone}
      - group:
          - push-ros-namespace: {namespace: arm/}
          - node: {pkg: demo, exec: talker, name: e}
  - node: {pkg: demo, exec: talker, name: f, namespace: ""}
"""
    found = {p.node_name: p.namespace for p in resolved(text).processes}
    assert found == {
        "a": None,
        "b": "/robot1",
        "c": "/robot1/eyes",
        "d": "/alone",
        "e": "/robot1/arm",
        "f": "/",
    }


def test_parameters_and_remaps_can_be_set_for_all_nodes_of_a_group(resolved: Resolve) -> None:
    text = """
  - group:
      - set_parameter: {name: use_sim_time, value: "true"}
      - set_remap: {from: cmd_vel, to: nav/cmd_vel}
      - node:
          pkg: demo
          exec: talker
          param: [{name: rate, value: 10.0}]
          remap: [{from: odom, to: wheel_odom}]
  - node: {pkg: demo, exec: talker}
"""
    inner, outer = resolved(text).processes
    assert inner.parameters == {"use_sim_time": True, "rate": 10.0}
    assert inner.remaps == (("cmd_vel", "nav/cmd_vel"), ("odom", "wheel_odom"))
    assert outer.parameters == {} and outer.remaps == ()


def test_an_included_file_takes_arguments_and_knows_its_own_folder(
    resolved: Resolve, write: Write
) -> None:
    inner = write(
        """
  - arg: {name: what, default: nothing}
  - log: {message: "$(var what) of $(filename)"}
  - let: {name: left, value: behind}
""",
        "inner.launch.yaml",
    )
    launch = resolved("""
  - include:
      file: "$(dirname)/inner.launch.yaml"
      arg: [{name: what, value: all}]
  - log: {message: "$(filename) $(var left)"}
""")
    # What an included file sets stays set behind it, in ROS 2 as here; only groups are scopes.
    assert words(launch) == [f"all of {inner}", f"{inner.parent / 'a.launch.yaml'} behind"]


def test_an_included_file_that_needs_an_argument_says_so(resolved: Resolve, write: Write) -> None:
    write("  - arg: {name: port}\n", "inner.launch.yaml")
    with pytest.raises(LaunchError, match=r"inner\.launch\.yaml:2.*the argument port"):
        resolved('  - include: {file: "$(dirname)/inner.launch.yaml"}\n')


def test_a_file_that_includes_itself_is_refused(resolved: Resolve) -> None:
    with pytest.raises(LaunchError, match="includes itself"):
        resolved('  - include: {file: "$(filename)"}\n')


def test_a_condition_can_end_the_inclusion(resolved: Resolve) -> None:
    text = """
  - arg: {name: n, default: "0"}
  - log: {message: "$(var n)"}
  - include:
      if: "$(eval '$(var n) < 3')"
      file: "$(filename)"
      arg: [{name: n, value: "$(eval '$(var n) + 1')"}]
"""
    assert words(resolved(text)) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('if: "true"', True),
        ('if: "1"', True),
        ('if: " False "', False),
        ('unless: "0"', True),
        ('unless: "true"', False),
        ('if: "$(equals $(var a) 1.0)"', True),
        ("if: \"$(not-equals '$(var a)' one)\"", True),
        ('if: "$(and true $(not false))"', True),
        ('if: "$(or false 0)"', False),
        ("if: \"$(eval '$(var a) > 1')\"", False),
        ('if: "$(if $(equals $(var a) 1) yes no)"', None),
        ('if: "$(var a)$(var a)"', None),
        ('if: ""', None),
    ],
)
def test_conditions(resolved: Resolve, condition: str, holds: bool | None) -> None:
    text = f"""
  - let: {{name: a, value: "1"}}
  - log:
      message: here
      {condition}
"""
    if holds is None:
        with pytest.raises(LaunchError, match=r"a\.launch\.yaml:\d+: expected true, 1, false or 0"):
            resolved(text)
    else:
        assert words(resolved(text)) == (["here"] if holds else [])
