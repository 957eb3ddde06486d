"""The grammar of substitutions, held against what ROS 2's own grammar makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.robot.launching.errors import LaunchError, Where
from reflexarc.robot.launching.template import Substitution, Template, parse_template

HERE = Where(Path("a.launch.yaml"), 7)


def parsed(text: str) -> Template:
    return parse_template(text, HERE)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("$(var a)", (Substitution("var", (("a",),)),)),
        ("$(dirname)/x", (Substitution("dirname", ()), "/x")),
        ("a$(var b)c", ("a", Substitution("var", (("b",),)), "c")),
        ("$(env A 'two words')", (Substitution("env", (("A",), ("two words",))),)),
        ('$(env A "")', (Substitution("env", (("A",), ())),)),
        (
            "$(find-pkg-share $(var p))",
            (Substitution("find-pkg-share", ((Substitution("var", (("p",),)),),)),),
        ),
        (
            "$(eval '$(var a) + 1')",
            (Substitution("eval", ((Substitution("var", (("a",),)), " + 1"),)),),
        ),
        (r"\$(var a)", ("$(var a)",)),
        ("5$ and $", ("5$ and $",)),
        (r"$(eval '\'a\' == \'b\'')", (Substitution("eval", (("'a' == 'b'",),)),)),
        ("$(not-equals a b)", (Substitution("not-equals", (("a",), ("b",))),)),
    ],
)
def test_it_splits_text_and_substitutions(text: str, pieces: Template) -> None:
    assert parsed(text) == pieces


@pytest.mark.parametrize(
    "text",
    ["$(", "$()", "$(var a", "$(var  a)", "$(var 'a)", "$(var a b", "$( var a)", "$(var a()"],
)
def test_what_is_not_closed_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(LaunchError, match=r"a\.launch\.yaml:7"):
        parsed(text)


@given(st.text(alphabet="$()'\" \\avr-1", max_size=40))
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        parsed(text)
    except LaunchError as error:
        assert error.where == HERE


@given(st.text(max_size=40).filter(lambda text: "$(" not in text and "\\" not in text))
def test_text_without_substitutions_stays_as_it_is(text: str) -> None:
    assert "".join(str(piece) for piece in parsed(text)) == text


def test_very_deep_nesting_is_refused() -> None:
    with pytest.raises(LaunchError, match="less deep"):
        parsed("$(var " * 500 + "a" + ")" * 500)
