"""One tag of a launch file with its attributes and children."""

from __future__ import annotations

from dataclasses import dataclass

from reflexarc.robot.launching.document import Items, Leaf, Table, Tree, describe
from reflexarc.robot.launching.errors import LaunchError, Where, listed

CHILDREN = "children"


@dataclass
class Entity:
    """A tag with attributes (a mapping), or with children only (a list).

    The getters trust the file: `schema.check` has seen to it.

    Attributes:
        tag: "node", "arg", ...
        where: its line.
        attributes: what stands below it.
        children_tree: its children, where it has any.
    """

    tag: str
    where: Where
    attributes: dict[str, Tree]
    children_tree: Items | None = None

    @classmethod
    def of(cls, tag: str, tree: Tree, where: Where | None = None) -> Entity:
        """Read what stands below a tag.

        Raises:
            LaunchError: neither a mapping nor a list, or children that are no list.
        """
        if isinstance(tree, Items):
            return cls(tag, where or tree.where, {}, tree)
        if not isinstance(tree, Table):
            raise LaunchError(
                expected=f"attributes below {tag}",
                found=describe(tree),
                remedy=f"indent the attributes of {tag} further than {tag} itself",
                where=tree.where,
            )
        attributes = dict(tree.entries)
        children = attributes.pop(CHILDREN, None)
        if children is not None and not isinstance(children, Items):
            raise LaunchError(
                expected=f"a list as {CHILDREN} of {tag}",
                found=describe(children),
                remedy="begin each child with a dash",
                where=children.where,
            )
        return cls(tag, where or tree.where, attributes, children)

    def children(self) -> list[Entity]:
        """The tags below this one, in order.

        Raises:
            LaunchError: an item that is not one tag.
        """
        items = self.children_tree.items if self.children_tree is not None else ()
        return [self._child(item) for item in items]

    @staticmethod
    def _child(item: Tree) -> Entity:
        if isinstance(item, Table) and len(item.entries) == 1:
            tag, below = next(iter(item.entries.items()))
            return Entity.of(tag, below, item.where)
        several = isinstance(item, Table) and len(item.entries) > 1
        raise LaunchError(
            expected="one tag after the dash (`- node:`)",
            found=listed(item.entries) if isinstance(item, Table) else describe(item),
            remedy="indent the attributes further than their tag"
            if several
            else "write `- TAG:` and its attributes below it",
            where=item.where,
        )

    def where_of(self, name: str) -> Where:
        """The line of an attribute, or of the tag."""
        tree = self.attributes.get(name)
        return tree.where if tree is not None else self.where

    def text(self, name: str) -> str | None:
        """A text as written, or None."""
        value = self._scalar(name)
        return value if isinstance(value, str) else None

    def needed_text(self, name: str) -> str:
        """A text as written that has to be there."""
        value = self.text(name)
        assert value is not None, f"the schema makes {self.tag} have {name}"
        return value

    def number(self, name: str) -> float | None:
        """A number, or None."""
        value = self._scalar(name)
        return value if isinstance(value, float) else None

    def whole(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self._scalar(name)
        return value if isinstance(value, int) else None

    def truth(self, name: str, otherwise: bool) -> bool:
        """True or false."""
        value = self._scalar(name)
        return value if isinstance(value, bool) else otherwise

    def parts(self, name: str) -> list[Entity]:
        """A list of mappings (`remap`, `env`, ...), empty where it is left out."""
        tree = self.attributes.get(name)
        items = tree.items if isinstance(tree, Items) else ()
        return [Entity.of(name, item) for item in items]

    def _scalar(self, name: str) -> str | int | float | bool | None:
        tree = self.attributes.get(name)
        return tree.value if isinstance(tree, Leaf) else None
