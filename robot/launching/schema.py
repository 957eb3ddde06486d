"""Which tags there are and what each may have: checked in the whole file before it runs.

The names and types are those that ROS 2's own parser takes (launch_yaml, launch_ros of
Jazzy and later): it wants text even for truth values, and a point in every number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reflexarc.robot.launching.document import Items, Leaf, Table, Tree, describe
from reflexarc.robot.launching.entity import Entity
from reflexarc.robot.launching.errors import LaunchError, listed, nearest


@dataclass(frozen=True)
class Kind:
    """What an attribute's value has to be."""

    words: str
    fits: Callable[[Tree], bool]
    remedy: str


@dataclass(frozen=True)
class Tag:
    """What a tag, or a part of one, may have.

    Attributes:
        attributes: with the kinds of their values.
        needed: those that must be there.
        parts: attributes that are lists of mappings, with what these may have.
        only_ros: attributes that ROS 2 knows and we do not.
        children: whether other tags may stand in it.
    """

    attributes: dict[str, Kind]
    needed: tuple[str, ...] = ()
    parts: dict[str, Tag] = field(default_factory=dict)
    only_ros: frozenset[str] = frozenset()
    children: bool = False


def _leaf(*types: type) -> Callable[[Tree], bool]:
    return lambda tree: isinstance(tree, Leaf) and type(tree.value) in types


def _positive(tree: Tree) -> bool:
    # `not <`: NaN is no time either.
    return isinstance(tree, Leaf) and isinstance(tree.value, float) and tree.value >= 0


TEXT = Kind("text (ROS 2 takes nothing else there)", _leaf(str), "put it in quotes")
NUMBER = Kind("a number with a point, at least 0,", _positive, "write it without quotes, as 2.0")
WHOLE = Kind("a whole number", _leaf(int), "write it without quotes, as 3")
TRUTH = Kind("true or false", _leaf(bool), "write it without quotes")
ANY = Kind("a value", lambda tree: not isinstance(tree, Table), "write `value:` and the value")

_CONDITION = {"if": TEXT, "unless": TEXT}
_PAIR = Tag({"name": TEXT, "value": TEXT}, ("name", "value"))
_REMAP = Tag({"from": TEXT, "to": TEXT}, ("from", "to"))
_PARAMETER = Tag(
    {"name": TEXT, "value": ANY, "type": TEXT, "from": TEXT}, only_ros=frozenset({"allow_substs"})
)
_PARAMETER.parts["param"] = _PARAMETER
_PROCESS = {
    **_CONDITION,
    "name": TEXT,
    "cwd": TEXT,
    "output": TEXT,
    "on_exit": TEXT,
    "respawn": TEXT,
    "respawn_delay": NUMBER,
    "respawn_max_retries": WHOLE,
    "sigterm_timeout": NUMBER,
    "sigkill_timeout": NUMBER,
    "launch-prefix": TEXT,
}
_ONLY_ROS = frozenset({"emulate_tty", "shell", "node-name"})
_NAMESPACE = Tag({**_CONDITION, "namespace": TEXT}, ("namespace",))
_VARIABLE = Tag({**_CONDITION, "name": TEXT, "value": TEXT}, ("name", "value"))

TAGS: dict[str, Tag] = {
    "arg": Tag(
        {**_CONDITION, "name": TEXT, "default": TEXT, "description": TEXT},
        ("name",),
        {"choice": Tag({"value": TEXT}, ("value",))},
    ),
    "let": _VARIABLE,
    "node": Tag(
        {
            **_PROCESS,
            "pkg": TEXT,
            "exec": TEXT,
            "namespace": TEXT,
            "exec_name": TEXT,
            "args": TEXT,
            "ros_args": TEXT,
        },
        ("exec",),
        {"param": _PARAMETER, "remap": _REMAP, "env": _PAIR},
        _ONLY_ROS,
    ),
    "executable": Tag({**_PROCESS, "cmd": TEXT}, ("cmd",), {"env": _PAIR}, _ONLY_ROS),
    "group": Tag(
        {**_CONDITION, "scoped": TRUTH},
        only_ros=frozenset({"forwarding", "keep"}),
        children=True,
    ),
    "include": Tag({**_CONDITION, "file": TEXT}, ("file",), {"arg": _PAIR}, frozenset({"let"})),
    "set_env": _VARIABLE,
    "append_env": Tag(
        {**_VARIABLE.attributes, "prepend": TRUTH, "separator": TEXT}, _VARIABLE.needed
    ),
    "unset_env": Tag({**_CONDITION, "name": TEXT}, ("name",)),
    "push_ros_namespace": _NAMESPACE,
    "push-ros-namespace": _NAMESPACE,
    "set_parameter": _VARIABLE,
    "set_remap": Tag({**_CONDITION, "from": TEXT, "to": TEXT}, ("from", "to")),
    "log": Tag({**_CONDITION, "message": TEXT}, ("message",), only_ros=frozenset({"level"})),
}
LAUNCH = Tag({"deprecated": TEXT}, children=True)
_TAGS_ONLY_ROS = {
    "timer",
    "ros_timer",
    "node_container",
    "load_composable_node",
    "composable_node",
    "set_parameters_from_file",
    "set_use_sim_time",
    "set_ros_log_dir",
    "shutdown",
    "reset",
    "reset_env",
}


def check(launch: Entity) -> None:
    """Check everything below `launch:`, also what no condition would reach.

    Raises:
        LaunchError: at the first tag, attribute or value that is not known.
    """
    _check(launch, LAUNCH)
    for child in launch.children():
        _check_tag(child)


def _check_tag(entity: Entity) -> None:
    if entity.tag not in TAGS:
        known = entity.tag in _TAGS_ONLY_ROS
        raise LaunchError(
            expected=f"one of these tags: {listed(set(TAGS) - {'push-ros-namespace'})}",
            found=f"{entity.tag}, which ROS 2 knows and `reflexarc launch` does not"
            if known
            else entity.tag,
            remedy="leave it out, or run the file with `ros2 launch`"
            if known
            else nearest(entity.tag, TAGS, "use one of these"),
            where=entity.where,
        )
    tag = TAGS[entity.tag]
    _check(entity, tag)
    if "if" in entity.attributes and "unless" in entity.attributes:
        raise LaunchError(
            expected=f"{entity.tag} with if or unless",
            found="both",
            remedy="join them: if: $(and A $(not B))",
            where=entity.where,
        )
    if tag.children:
        for child in entity.children():
            _check_tag(child)


def _check(entity: Entity, tag: Tag) -> None:
    known = {*tag.attributes, *tag.parts}
    for name, tree in entity.attributes.items():
        if name in tag.parts:
            _check_parts(entity, name, tree, tag.parts[name])
        elif name in tag.attributes:
            _check_kind(entity, name, tree, tag.attributes[name])
        elif name in tag.only_ros:
            raise LaunchError(
                expected=f"{entity.tag} without {name}",
                found=f"{name}, which ROS 2 knows and `reflexarc launch` does not",
                remedy="leave it out, or run the file with `ros2 launch`",
                where=tree.where,
            )
        else:
            raise LaunchError(
                expected=f"of {entity.tag} only {listed(known)}",
                found=name,
                remedy=nearest(name, known, "leave it out"),
                where=tree.where,
            )
    for name in tag.needed:
        if name not in entity.attributes:
            raise LaunchError(
                expected=f"{entity.tag} with {name}",
                found=f"only {listed(entity.attributes)}" if entity.attributes else "nothing",
                remedy=f"add `{name}:`",
                where=entity.where,
            )
    if (entity.children_tree is not None) is not tag.children:
        raise LaunchError(
            expected=f"{entity.tag} with a list of tags"
            if tag.children
            else f"attributes of {entity.tag}",
            found="none" if tag.children else "a list",
            remedy="list them with dashes"
            if tag.children
            else f"give {entity.tag} its attributes without dashes",
            where=entity.where,
        )


def _check_kind(entity: Entity, name: str, tree: Tree, kind: Kind) -> None:
    if kind.fits(tree):
        return
    remedy = kind.remedy
    if kind is TEXT and isinstance(tree, Leaf) and tree.value is not None:
        shown = str(tree.value).lower() if isinstance(tree.value, bool) else tree.value
        remedy = f'put it in quotes: {name}: "{shown}"'
    raise LaunchError(
        expected=f"{kind.words} as {name} of {entity.tag}",
        found=describe(tree),
        remedy=remedy,
        where=tree.where,
    )


def _check_parts(entity: Entity, name: str, tree: Tree, tag: Tag) -> None:
    if (
        not isinstance(tree, Items)
        or not tree.items
        or not all(isinstance(item, Table) for item in tree.items)
    ):
        raise LaunchError(
            expected=f"a list of mappings as {name} of {entity.tag}",
            found=describe(tree),
            remedy="begin each with a dash",
            where=tree.where,
        )
    for item in tree.items:
        _check(Entity.of(name, item), tag)
