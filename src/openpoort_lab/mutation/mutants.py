"""All mutants of one source file: those of the library, and our own."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from openpoort_lab.mutation import sql

OPERATORS = (
    "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_Lt_GtE",
    "ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_LtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_Gt_LtE",
    "ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_GtE_Lt",
    "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_FloorDiv", "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceUnaryOperator_Delete_Not", "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue",
    "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer", "ZeroIterationForLoop",
)  # fmt: skip
"""Of those the library has. Left out: `|` and the like, which here stand in types; decorators,
most of which are a cache or a dataclass; and each further way to turn the same comparison."""

_WITHOUT_EFFECT = re.compile(
    r"\b(?:binary|prepare|slots|frozen|repr|compare|hash|strict)=(?:True|False|not True|not False)"
)
"""How values travel, are kept or are shown: no test of what happens can tell."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`path` from the root of the source; `line` counts from 1; `source` is the whole file."""

    path: str
    line: int
    what: str
    source: str
    diff: str


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """In a fixed order, each once; what does not compile is left out."""
    seen, plain = {source}, {_WITHOUT_EFFECT.sub("", source)}
    for what, changed in (*_of_the_library(source), *_dropped(source), *_in_sql(source)):
        if changed in seen or _WITHOUT_EFFECT.sub("", changed) in plain or not _compiles(changed):
            continue
        seen.add(changed)
        line, diff = _difference(path, source, changed)
        yield Mutant(path, line, what, changed, diff)


def _of_the_library(source: str) -> Iterator[tuple[str, str]]:
    for name in OPERATORS:
        operator = cosmic_ray.plugins.get_operator(f"core/{name}")()
        count = sum(
            1 for node in ast_nodes(get_ast(source)) for _ in operator.mutation_positions(node)
        )
        for occurrence in range(count):
            changed = mutate_code(source, operator, occurrence)
            if changed is not None:
                yield name, changed


def _dropped(source: str) -> Iterator[tuple[str, str]]:
    """A call, a `raise` or a `continue` left out; a condition of a comprehension or a membership
    that counts for nothing is not the library's either."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise | ast.Continue | ast.AugAssign) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield "statement dropped", _replaced(lines, node, "pass")
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            words = ast.get_source_segment(source, node) or ""
            yield "membership turned", _replaced(lines, node, f"(not ({words}))")


def _in_sql(source: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(source)
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    lines = source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) and not (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            continue
        if id(node) in prose | inside:
            continue
        text = ast.get_source_segment(source, node) or ""
        for change in sql.changes(text):
            new = text[: change.start] + change.new + text[change.end :]
            yield f"SQL: {change.what}", _replaced(lines, node, new)


def _replaced(lines: list[str], node: ast.expr | ast.stmt, new: str) -> str:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    first, last = lines[node.lineno - 1].encode(), lines[node.end_lineno - 1].encode()
    head, tail = first[: node.col_offset].decode(), last[node.end_col_offset :].decode()
    return "".join((*lines[: node.lineno - 1], head, new, tail, *lines[node.end_lineno :]))


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _difference(path: str, source: str, changed: str) -> tuple[int, str]:
    """The first changed line, and the difference without what stands around it."""
    old, new = source.splitlines(), changed.splitlines()
    diff = list(difflib.unified_diff(old, new, path, path, lineterm="", n=0))
    line = next((n for n, pair in enumerate(zip(old, new, strict=False), 1) if pair[0] != pair[1]),
                min(len(old), len(new)))  # fmt: skip
    return line, "\n".join(diff[3:])
