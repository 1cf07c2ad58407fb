"""What a rule depends on, so that a change of other facts need not ask it again."""

from collections.abc import Iterator

from services.segmentation.rules.tree import All, AnyOf, CollectionLeaf, FieldLeaf, Node, Not, Rule


def facts_used(rule: Rule) -> frozenset[str]:
    """The facts the rule looks at: fields by name (`profile.city`, `attributes.size`,
    `consent.email`), collections by theirs (`orders`, `tickets`, `messages`)."""
    return frozenset(
        leaf.field.name if isinstance(leaf, FieldLeaf) else leaf.collection.name
        for leaf in leaves(rule.root)
    )


def leaves(node: Node) -> Iterator[FieldLeaf | CollectionLeaf]:
    """The leaves below `node`; the filter inside a collection is part of its leaf."""
    match node:
        case All() | AnyOf():
            for child in node.children:
                yield from leaves(child)
        case Not():
            yield from leaves(node.child)
        case FieldLeaf() | CollectionLeaf():
            yield node
