"""Files that are wrong: one line that says where and what to do, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from launched import Resolve, Write

from reflexarc.robot.launching import LaunchError, resolve
from reflexarc.robot.launching.resolve import declared_arguments


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("  - nod: {pkg: demo, exec: talker}", 2, "found nod; did you mean node"),
        ("  - timer: {period: 1.0, children: []}", 2, "timer, which ROS 2 knows and"),
        ("  - node: {pkg: demo, exce: talker}", 2, "found exce; did you mean exec"),
        ("  - node: {pkg: demo}", 2, "node with exec; found only pkg"),
        ("  - node: {pkg: demo, exec: talker, shell: true}", 2, "without shell"),
        ("  - node:\n      pkg: demo\n      exec: 3", 4, 'put it in quotes: exec: "3"'),
        ("  - node: {pkg: demo, exec: talker, if: true}", 2, 'in quotes: if: "true"'),
        ("  - node: {pkg: demo, exec: talker, respawn: true}", 2, 'in quotes: respawn: "true"'),
        ("  - node: {pkg: demo, exec: talker, respawn_delay: 2}", 2, "as 2.0"),
        ("  - node: {pkg: demo, exec: talker, respawn_delay: -1.0}", 2, "at least 0"),
        ("  - node: {pkg: demo, exec: talker, respawn_delay: .nan}", 2, "at least 0"),
        ("  - node: {pkg: demo, exec: talker, respawn_max_retries: 1.5}", 2, "a whole number"),
        ("  - node: {pkg: demo, exec: talker, param: {name: a}}", 2, "begin each with a dash"),
        ("  - node: {pkg: demo, exec: talker, remap: [{from: a}]}", 2, "remap with to"),
        ("  - node: {pkg: demo, exec: talker, env: []}", 2, "a list of mappings as env"),
        ("  - node: talker", 2, "attributes below node; found the text 'talker'"),
        ("  - node: [{pkg: demo}]", 2, "node with exec; found nothing"),
        ("  - group: {if: 'true'}", 2, "group with a list of tags"),
        ("  - group: {scoped: 'true', children: []}", 2, "true or false as scoped"),
        ("  - group: {if: 'false', children: [{nod: {}}]}", 2, "did you mean node"),
        ("  - {node: {exec: a}, arg: {name: b}}", 2, "indent the attributes further"),
        ("  - node", 2, "one tag after the dash"),
        ("  - arg: {name: a, default: 3}", 2, 'default: "3"'),
        ("  - arg: {name: a, default: 2026-11-25}", 2, "reads as a date; put it in quotes"),
        ("  - arg: {name: a, defualt: b}", 2, "did you mean default"),
        ("  - let: {name: a}", 2, "let with value"),
        ("  - log: {message: $(var a)}", 2, "declare it"),
        ("  - log: {message: $(vra a)}", 2, "found $(vra); did you mean var"),
        ("  - log: {message: $(command ls)}", 2, "$(command), which ROS 2 knows"),
        ("  - log: {message: $(env NO_SUCH_VARIABLE)}", 2, "$(env NO_SUCH_VARIABLE DEFAULT)"),
        ("  - log: {message: $(env a b c)}", 2, "1 to 2 arguments; found 3"),
        ("  - log: {message: \"$(eval '().__class__')\"}", 2, "more than arithmetic"),
        ("  - log: {message: $(find-pkg-share dmo)}", 2, "did you mean demo"),
        ("  - log: {message: \"$(equals a '')\"}", 2, "which ROS 2 takes for the text []"),
        ("  - log: {message: $(find-exec no_such_program)}", 2, "on the PATH"),
        ("  - include: {file: nowhere.launch.yaml}", None, "No such file"),
        ("  - include: {file: a.launch.py}", 2, "a launch file in YAML"),
        ("  - push_ros_namespace: {namespace: two words}", 2, "a namespace"),
        ("  - set_env: {name: '', value: a}", 2, "an environment variable"),
        ("  - node: {if: 'true', unless: 'true', exec: a}", 2, "node with if or unless"),
        ("  - arg: {name: a\n  - arg: {name: b}", 3, "expected"),
        ("  - arg: {name: a, name: b}", 2, "name once"),
        ("  - *nothing", 2, "undefined alias"),
        ("  - node: {<<: {exec: a}}", 2, "found <<"),
        ("  - node: {[a]: b}", 2, "a name before the colon"),
        ("  - !!python/object/apply:os.system [ls]", 2, "one tag after the dash"),
        ("  - &a [*a]", 2, "an anchor that holds itself"),
        ("\t- node: {}", 2, "cannot start any token"),
    ],
)
def test_the_line_and_what_to_do(
    resolved: Resolve, text: str, line: int | None, message: str
) -> None:
    with pytest.raises(LaunchError) as caught:
        resolved(text + "\n")
    assert message in str(caught.value)
    assert (caught.value.where.line if caught.value.where is not None else None) == line


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"launch:",
        b"launch: []\nother: 1\n",
        b"nodes: []\n",
        b"- node: {}\n",
        b"text",
        b"\xff\xfe\x00",
        b"launch: \x00",
        b"%PDF-1.4",
        b"launch: " + b"[" * 2000,
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
        b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
        b"launch: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
    ],
)
def test_what_is_no_launch_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.launch.yaml"
    file.write_bytes(content)
    with pytest.raises(LaunchError):
        resolve(file)


def test_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LaunchError):
        resolve(tmp_path)
    huge = tmp_path / "a.launch.yaml"
    huge.write_text("# " + "x" * 1_100_000)
    with pytest.raises(LaunchError, match="at most"):
        resolve(huge)


def test_anchors_that_end_may_be_used(resolved: Resolve) -> None:
    launch = resolved("""
  - node: {pkg: demo, exec: talker, env: &env [{name: A, value: b}]}
  - node: {pkg: demo, exec: talker, env: *env}
""")
    assert [process.changes for process in launch.processes] == [{"A": "b"}, {"A": "b"}]


_TEXT = """launch node group arg let include name value pkg exec demo children if param from
remap true file $(var $(dirname) $(env) $(eval '1"""
_WORDS = st.sampled_from(_TEXT.split())
_LEAVES = st.one_of(
    _WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.lists(st.dictionaries(_WORDS, _TREES, min_size=1, max_size=2), max_size=4))
def test_any_yaml_is_resolved_or_refused(tree: object, tmp_path: Path) -> None:
    file = tmp_path / "a.launch.yaml"
    file.write_text(yaml.safe_dump({"launch": tree}, allow_unicode=True), encoding="utf-8")
    try:
        resolve(file, {}, {"PATH": "/bin"})
    except LaunchError as error:
        assert error.remedy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_resolved_or_refused(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.launch.yaml"
    file.write_bytes(data)
    with pytest.raises(LaunchError):
        resolve(file, {}, {"PATH": "/bin"})


def test_arguments_are_found_without_resolving(write: Write) -> None:
    file = write("""
  - arg: {name: a, default: "$(var nobody)", description: of a}
  - group:
      - arg: {name: b}
""")
    found = declared_arguments(file)
    assert {name: argument.default for name, argument in found.items()} == {
        "a": "$(var nobody)",
        "b": None,
    }
