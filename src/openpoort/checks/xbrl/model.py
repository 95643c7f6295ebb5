"""One entry point held in memory, and the judgement of one instance against it.

Runs only inside a holder process (`holder.py`): the reference processor (Arelle) keeps global
state and is not thread-safe. It uses internals of the pinned version; the agreement run
(`tests/agreement`) compares it with Arelle's own command line.

The set of taxonomy documents (the DTS) is checked once, here, at start. For an instance that
adds no document to it only the instance is checked: re-checking the DTS is nine tenths of the
time. An instance that does add one (a second schemaRef, a linkbaseRef, a schemaLocation) gets
the complete round.
"""

from __future__ import annotations

import gc
import logging
import os
import tempfile
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

from arelle import ModelDocument, ModelXbrl, Validate, ValidateXbrl
from arelle import ValidateXbrlDTS as Dts
from arelle.Cntlr import Cntlr
from arelle.formula import ValidateFormula, XPathParser
from arelle.ModelFormulaObject import FormulaOptions, ModelVariableSetAssertion
from arelle.ValidateXbrlDTS import ValidateBaseTaxonomiesMode

from openpoort.checks.xbrl.guard import guard
from openpoort.checks.xbrl.limits import SHOWN, Message
from openpoort.checks.xbrl.primer import primer

LEVELS = {"ERROR": "error", "CRITICAL": "error", "WARNING": "warning", "INCONSISTENCY": "warning"}
_XBRLDI = "http://www.xbrl.org/2006/xbrldi-2006.xsd"
_XBRLDI_NAMESPACE = "http://xbrl.org/2006/xbrldi"
_LINKED = ("footnoteLink", "linkbaseRef", "roleRef", "arcroleRef")


class _Buffer(logging.Handler):
    """Collects what Arelle logs, at the moment it logs it.

    `instance`: the name of its file. The line of a message is the first it points at in there; an
    assertion also points at its own place in the taxonomy, which is no use to a sender.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.messages: list[Message] = []
        self.instance = ""

    def emit(self, record: logging.LogRecord) -> None:
        code = getattr(record, "messageCode", "") or ""
        if code in {"", "info", "debug"}:
            return
        arguments = record.args if isinstance(record.args, dict) else {}
        refs = [(ref["href"].partition("#"), ref) for ref in getattr(record, "refs", [])]
        here = [(h[2], ref.get("sourceLine")) for h, ref in refs if h[0].endswith(self.instance)]
        lines = [line for _, line in here if line]
        self.messages.append(
            Message(
                code,
                LEVELS.get(record.levelname, "info"),
                record.getMessage(),
                min(lines, default=None),
                {k: str(v)[:SHOWN] for k, v in arguments.items() if isinstance(v, str | int)},
                tuple(pointer for pointer, _ in here if pointer)[:SHOWN],
            )
        )

    def take(self) -> list[Message]:
        taken, self.messages = self.messages, []
        return taken


class _InstanceOnly(ValidateXbrl.ValidateXbrl):  # type: ignore[misc]  # Arelle has no types
    """Arelle's rounds over facts, contexts, units and dimensions, without those over the DTS."""

    def judge(self, model: Any) -> None:
        """Needs one earlier `validate(model)`, which leaves its settings and dimension state."""
        instance = model.modelDocument
        self.checkFacts(model.facts)
        self.checkContexts(model.contexts.values())
        self.checkUnits(model.units.values())
        self.checkDuplicateFacts(model.facts, self.validateDuplicateFacts)
        if model.hasXDT:
            self.checkFactsDimensions(model.facts)
            self.checkContextsDimensions(model.contexts.values())
        self.DTSreferenceResourceIDs: dict[str, Any] = {}
        Dts.checkDTS(self, instance, {d for d in model.urlDocs.values() if d is not instance})
        if model.hasFormulae:
            ValidateFormula.validate(self)


class Held:
    """An entry point, loaded and checked once, ready to be copied by `fork`.

    `found` is what Arelle said about the taxonomy itself; `thorough` checks its documents too,
    which only matters once, when a taxonomy is added. Raises ValueError when a package is
    none or the entry point does not load.
    """

    def __init__(self, packages: Sequence[Path], entry: str, *, thorough: bool = False) -> None:
        os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="openpoort-arelle-")
        self.entry, self.packages = entry, [p.resolve() for p in packages]
        _speak_dutch()
        self.buffer = _Buffer()
        self.controller = _controller(self.packages, self.buffer)
        manager = self.controller.modelManager
        if thorough:
            manager.baseTaxonomyValidationMode = ValidateBaseTaxonomiesMode.ALL
        guard(self.controller.webCache, self.packages, None, 1_000_000)
        self.model: Any = ModelXbrl.load(manager, entry)
        if self.model.modelDocument is None:
            raise ValueError(f"entry point does not load: {entry}")
        # Every instance with dimensions brings this one standard schema; have it in the DTS.
        ModelDocument.load(self.model, _XBRLDI, namespace=_XBRLDI_NAMESPACE)
        self.validator = _InstanceOnly(self.model)
        self.validator.validate(self.model)
        self.model.modelRenderingTables.clear()  # checked with the DTS; no instance uses them
        self.found = self.buffer.take()

    def prime(self, folder: Path) -> None:
        """Judge a made-up instance and forget it: what Arelle computes late is then there."""
        instance = folder / "primer.xbrl"
        instance.write_bytes(primer(self.model, self.entry))
        before = {
            # Not `value.copy()`: that loses the factory of the processor's own dictionaries.
            name: copy(value) if isinstance(value, dict | list | set) else value
            for name, value in vars(self.model).items()
        }
        self.judge(instance)
        vars(self.model).clear()
        vars(self.model).update(before)
        instance.unlink()
        gc.collect()
        gc.freeze()

    def judge(self, instance: Path, *, documents: int = 2000) -> list[Message]:
        """Everything Arelle has to say about this instance. Once per process: it leaves traces.

        `documents` is how many other documents it may ask for.
        """
        guard(self.controller.webCache, self.packages, instance, documents)
        # A package that was opened before the fork is at one place for all children.
        self.model.fileSource.close()
        self.buffer.instance = instance.name
        try:
            self._judge(str(instance))
        except MemoryError:
            raise
        except Exception as wrong:  # noqa: BLE001  # what a value makes Arelle stumble over is a
            # message, as in its own `Validate.validate`
            code = f"exception:{type(wrong).__name__}"
            self.buffer.messages.append(Message(code, "error", str(wrong)[:300]))
        return self.buffer.take()

    def _judge(self, instance: str) -> None:
        model = self.model
        _drop_fact_caches(model)
        known = set(model.urlDocs)
        model.modelDocument = ModelDocument.load(model, instance, isEntry=True)
        if model.modelDocument is None:
            return
        ModelXbrl.loadSchemalocatedSchemas(model)
        if len(set(model.urlDocs) - known) > 1 or _links(model.modelDocument):
            Validate.validate(model)
        else:
            self.validator.judge(model)


def _speak_dutch() -> None:
    """Messages of assertions in Dutch where the taxonomy has them; Arelle takes the first."""
    original = ModelVariableSetAssertion.message

    def message(self: Any, satisfied: bool, preferred: str = "*", lang: str | None = None) -> Any:
        found = original(self, satisfied, preferred, lang or "nl")
        return found if found is not None else original(self, satisfied, preferred, None)

    ModelVariableSetAssertion.message = message


def _drop_fact_caches(model: Any) -> None:
    """Arelle keeps facts by name, type and dimension once asked: also the facts of no instance."""
    for name in [n for n in vars(model) if n.startswith(("_facts", "_nonNilFacts", "_dimensions"))]:
        delattr(model, name)


def _links(document: Any) -> bool:
    """True when the instance brings relationships or roles of its own."""
    link = "{http://www.xbrl.org/2003/linkbase}"
    found = document.xmlRootElement.iter(*(link + name for name in _LINKED))
    return next(found, None) is not None  # an element without children counts as false


def _controller(packages: Sequence[Path], buffer: _Buffer) -> Any:
    controller = Cntlr(logFileName="logToBuffer", disable_persistent_config=True)
    for handler in list(controller.logger.handlers):
        controller.logger.removeHandler(handler)
    controller.logger.addHandler(buffer)
    controller.webCache.workOffline = True
    for package in packages:
        if not controller.packages.add(str(package), ""):
            raise ValueError(f"not a taxonomy package: {package.name}")
    controller._packageManager.rebuildRemappings(controller)
    manager = controller.modelManager
    manager.loadCustomTransforms()
    manager.disclosureSystem.select(None)
    manager.validateDisclosureSystem = False
    # The enum, not its name: a string is silently something else than any member.
    manager.baseTaxonomyValidationMode = ValidateBaseTaxonomiesMode.NONE
    manager.formulaOptions = FormulaOptions()
    manager.formulaOptions.traceUnmessagedUnsatisfiedAssertions = True
    manager.defaultLang = "nl"
    XPathParser.initializeParser(manager)
    return controller
