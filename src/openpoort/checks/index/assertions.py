"""From the processor's assertions to what `formulas.py` can judge, or the reason why not.

Imports the processor; runs only in the compiling process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from arelle import XbrlConst
from arelle.ModelFormulaObject import (
    ModelConceptName,
    ModelExistenceAssertion,
    ModelFactVariable,
    ModelValueAssertion,
)

from openpoort.checks.index.formulas import Assertion
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.index.values import NUMBERS
from openpoort.checks.xbrl.limits import Message

_BESIDE = (
    XbrlConst.variableSetFilter,
    XbrlConst.variableSetPrecondition,
    XbrlConst.variablesScope,
    XbrlConst.assertionUnsatisfiedSeverity,
    XbrlConst.assertionUnsatisfiedSeverity20,
    XbrlConst.consistencyAssertionFormula,
)
"""Relationships of an assertion that change what it means."""
_VERDICTS = ("message:", "formula:")
"""What assertions said of no facts at all."""
_FALLBACK = re.compile(r"-?\d{1,9}")
_SHOWN = re.compile(r"\{\$([A-Za-z_][\w.-]*)\}")
_MET = ". gt 0"
"""What an existence assertion without a test asks (Existence Assertions 1.0 §2.1)."""


def assertions(model: Any, told: Iterable[Message]) -> list[dict[str, Any]]:
    """All of the entry point, by name. Undecided when one of them is beyond this room, or when the
    processor was `told` an error by the taxonomy: after some of these it evaluates nothing."""
    if model.qnameParameters:
        raise Undecided("formula: parameter")
    found = [_assertion(model, a) for a in model.modelVariableSets]
    if found and any(m.level == "error" and not m.code.startswith(_VERDICTS) for m in told):
        raise Undecided("formula: taxonomy")
    for raw in found:
        Assertion.build(raw).compile()
    return sorted(found, key=lambda raw: str(raw["name"]))


def _assertion(model: Any, assertion: Any) -> dict[str, Any]:
    existence = type(assertion) is ModelExistenceAssertion
    if not existence and type(assertion) is not ModelValueAssertion:
        raise Undecided("formula: kind")
    if assertion.aspectModel != "dimensional" or assertion.implicitFiltering != "true":
        raise Undecided("formula: aspects")
    for arcrole in _BESIDE:
        if model.relationshipSet(arcrole).fromModelObject(assertion):
            raise Undecided("formula: " + arcrole.rpartition("/")[2])
    if assertion.message(True) is not None or not assertion.id:
        raise Undecided("formula: message")
    variables = [_variable(model, r) for r in _from(model, XbrlConst.variableSet, assertion)]
    if (existence and len(variables) != 1) or not variables or _twice(variables):
        raise Undecided("formula: variables")
    if not existence and not all(_number(model, concept) for _, concept, _ in variables):
        raise Undecided("formula: type")
    return {
        "name": assertion.id,
        "existence": existence,
        "test": assertion.test or _MET,
        "variables": variables,
        "message": _message(assertion, {v[0] for v in variables} if not existence else set()),
    }


def _from(model: Any, arcrole: str, start: Any) -> list[Any]:
    return list(model.relationshipSet(arcrole).fromModelObject(start))


def _twice(variables: list[tuple[str, str, int | None]]) -> bool:
    return len({concept for _, concept, _ in variables}) < len(variables)


def _variable(model: Any, relation: Any) -> tuple[str, str, int | None]:
    variable, name = relation.toModelObject, relation.variableQname
    if type(variable) is not ModelFactVariable or name.namespaceURI:
        raise Undecided("formula: variable")
    if "true" in {variable.bindAsSequence, variable.nils, variable.matches}:
        raise Undecided("formula: variable")
    fallback = variable.get("fallbackValue")
    if fallback is not None and _FALLBACK.fullmatch(fallback) is None:
        raise Undecided("formula: fallback")
    filters = _from(model, XbrlConst.variableFilter, variable)
    if len(filters) != 1 or filters[0].isComplemented or not filters[0].isCovered:
        raise Undecided("formula: filters")
    only = filters[0].toModelObject
    if type(only) is not ModelConceptName or only.qnameExpressions:
        raise Undecided("formula: filter")
    if len(only.conceptQnames) != 1:
        raise Undecided("formula: filter")
    (concept,) = only.conceptQnames
    return name.localName, concept.clarkNotation, None if fallback is None else int(fallback)


def _number(model: Any, concept: str) -> bool:
    found = next((c for q, c in model.qnameConcepts.items() if q.clarkNotation == concept), None)
    return found is not None and found.isNumeric and found.baseXsdType in NUMBERS


def _message(assertion: Any, names: set[str]) -> list[str] | None:
    """Text and names of variables in turn; None when it has more in its braces."""
    message = assertion.message(False)
    if message is None:
        return None
    parts = _SHOWN.split(message.text)
    plain, shown = parts[0::2], parts[1::2]
    if any("{" in text or "}" in text for text in plain) or not set(shown) <= names:
        return None
    return parts
