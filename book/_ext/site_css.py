"""One stylesheet out of many: what no page can use is left out.

A rule stays if each class and id that it asks for is on some page or is a word in some script,
where a word that ends in a hyphen stands for all that begin with it. That keeps too much rather
than too little: ``:not(…)``, ``:is(…)``, attributes and elements are not looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, Declaration, FunctionBlock, Node, QualifiedRule

NESTED = {"media", "supports", "container", "layer"}  # hold rules, which are looked at in turn


@dataclass
class Words:
    """Every class, id and custom property that the pages and their scripts may use."""

    known: set[str] = field(default_factory=set)
    stems: tuple[str, ...] = ()

    @classmethod
    def of(cls, pages: Iterable[str], scripts: Iterable[str]) -> Words:
        """Read pages' attributes and whatever looks like a name in scripts, theirs included."""
        known: set[str] = set()
        words: set[str] = set()
        for html in pages:
            for value in re.findall(r'\b(?:class|id)\s*=\s*["\']([^"\']*)["\']', html):
                known.update(value.split())
            known.update(re.findall(r"--[\w-]+", html))
            for script in re.findall(r"<script\b[^>]*>(.*?)</script>", html, flags=re.DOTALL):
                words.update(re.findall(r"[\w-]+", script))
        for script in scripts:
            words.update(re.findall(r"[\w-]+", script))
        stems = {word for word in words if re.fullmatch(r"[a-z]\w*(-\w+)*-", word)}
        return cls(known | words, tuple(sorted(stems)))

    def __contains__(self, name: str) -> bool:
        return name in self.known or name.startswith(self.stems)


def read(path: Path, root: Path) -> list[Node]:
    """Parse a stylesheet with the local ones that it imports; addresses become relative to root.

    Raises
    ------
    ValueError
        If it does not parse, or imports from another host or under a condition.
    """
    nodes: list[Node] = []
    sheet = path.read_text(encoding="utf-8")
    for node in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        if node.type == "error":
            raise ValueError(f"{path.name}, line {node.source_line}: {node.message}")
        if node.type == "at-rule" and node.lower_at_keyword == "import":
            target = [token for token in node.prelude if token.type != "whitespace"]
            if len(target) != 1 or target[0].type not in ("string", "url"):
                raise ValueError(f"{path.name}, line {node.source_line}: a conditional import")
            nodes += read(path.parent / target[0].value, root)
        else:
            move_addresses(node, path.parent, root)
            nodes.append(node)
    return nodes


def move_addresses(node: Node, folder: Path, root: Path) -> None:
    """Make the addresses below a node, which are relative to its folder, relative to root."""
    for token in tokens(node):
        if isinstance(token, FunctionBlock) and token.lower_name == "url":
            token = next((part for part in token.arguments if part.type == "string"), token)
        elif token.type != "url":
            continue
        if not re.match(r"[a-z]+:|//|#", token.value):
            token.value = Path(os.path.relpath(folder / token.value, root)).as_posix()
            token.representation = (
                f'"{token.value}"' if token.type == "string" else f"url({token.value})"
            )


def tokens(node: Node) -> Iterable[Node]:
    """Walk through all tokens below a node."""
    for part in ("prelude", "content", "arguments", "value"):
        below = getattr(node, part, None)
        if isinstance(below, list):
            for token in below:
                yield token
                yield from tokens(token)


def selectors(prelude: list[Node]) -> Iterable[list[Node]]:
    """Split a rule's prelude at its commas."""
    selector: list[Node] = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def usable(selector: list[Node], words: Words) -> bool:
    """Whether every class and id that a selector asks for is among the words."""
    for before, token in zip([None, *selector], selector, strict=False):
        asked = token.type == "hash" or (token.type == "ident" and before == ".")
        if asked and token.value not in words:
            return False
    return True


def purged(nodes: Iterable[Node], words: Words) -> list[Node]:
    """Leave out the rules, and of their selectors those, that no page can use."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, QualifiedRule):
            alive = [part for part in selectors(node.prelude) if usable(part, words)]
            if not alive:
                continue
            comma = tinycss2.ast.LiteralToken(node.source_line, node.source_column, ",")
            node.prelude = [token for part in alive for token in (*part, comma)][:-1]
        elif node.type == "at-rule" and node.lower_at_keyword in NESTED and node.content:
            rules = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            node.content = purged(rules, words)
            if not node.content:
                continue
        kept.append(node)
    return kept


def rules(nodes: Iterable[Node]) -> Iterable[QualifiedRule | AtRule]:
    """Walk through the rules that hold declarations, those inside ``@media`` and the like too."""
    for node in nodes:
        if node.type == "at-rule" and node.lower_at_keyword in NESTED and node.content:
            yield from rules(node.content)
        else:
            yield node


def without_idle_properties(nodes: list[Node], words: Words) -> list[Node]:
    """Leave out custom properties that nothing reads, and animations that nothing plays."""
    for rule in rules(nodes):
        if isinstance(rule, QualifiedRule):
            rule.content = tinycss2.parse_blocks_contents(
                rule.content, skip_comments=True, skip_whitespace=True
            )
    while True:
        names = [
            token.value
            for rule in rules(nodes)
            for part in rule.content or []
            for token in (part, *tokens(part))
            if token.type == "ident"
        ]
        read_here = {name for name in names if name.startswith("--")}
        idle = 0
        for rule in rules(nodes):
            if isinstance(rule, QualifiedRule):
                before = len(rule.content)
                rule.content = [
                    node
                    for node in rule.content
                    if not isinstance(node, Declaration)
                    or not node.name.startswith("--")
                    or node.name in read_here
                    or node.name in words
                ]
                idle += before - len(rule.content)
        if not idle:
            break
    played = set(names)
    return [
        node
        for node in nodes
        if not (node.type == "at-rule" and node.lower_at_keyword.endswith("keyframes"))
        or tinycss2.serialize(node.prelude).strip() in played
    ]


def serialized(nodes: Iterable[Node]) -> str:
    """Write rules as a stylesheet, without the empty ones."""
    parts = []
    for node in nodes:
        if isinstance(node, Declaration):
            value = tinycss2.serialize(node.value).strip()
            parts.append(f"{node.name}:{value}{'!important' if node.important else ''};")
        elif isinstance(node, QualifiedRule) or node.type == "at-rule":
            head = tinycss2.serialize(node.prelude).strip()
            head = f"@{node.at_keyword} {head}".strip() if node.type == "at-rule" else head
            if node.content is None:
                parts.append(f"{head};")
            elif body := inside(node):
                parts.append(f"{head}{{{body}}}\n")
    return "".join(parts)  # a declaration that does not parse counts for nothing in browsers too


def inside(rule: QualifiedRule | AtRule) -> str:
    """Write what stands between a rule's braces, whether it has been parsed or not."""
    parsed = rule.content and isinstance(rule.content[0], (QualifiedRule, AtRule, Declaration))
    return serialized(rule.content) if parsed else tinycss2.serialize(rule.content).strip()
