"""Two small taxonomies of our own, described in TOML, so that a fresh machine checks for real.

`packages()` builds standard taxonomy packages from the descriptions: the same bytes each time.
They stand in for the Dutch ones, which the product does not ship.
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from importlib.resources import files
from typing import Any

from openpoort.checks.demo.linkbases import definition, formulas, labels, presentation
from openpoort.checks.demo.schemas import data, entrypoint, linkroles, types

NAMES = ("omzetbelasting", "jaarrekening")
_EPOCH = (2026, 1, 1, 0, 0, 0)
_CATALOG = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">\n'
    '  <rewriteURI uriStartString="{base}/" rewritePrefix="../taxonomie/"/>\n</catalog>\n'
)


def describe(name: str) -> dict[str, Any]:
    """The description of one demo taxonomy, as it stands in its TOML file."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text("utf-8"))


def packages() -> dict[str, bytes]:
    """Name of the taxonomy -> bytes of its package (zip)."""
    return {f"demo-{name}": build(describe(name)) for name in NAMES}


def build(taxonomy: dict[str, Any]) -> bytes:
    """A standard taxonomy package with everything its entry points need."""
    party = taxonomy["party"]
    content = {
        "META-INF/taxonomyPackage.xml": _metadata(taxonomy),
        "META-INF/catalog.xml": _CATALOG.format(base=taxonomy["base"]),
        "META-INF/openpoort.json": _hints(taxonomy),
        f"taxonomie/dictionary/{party}-types.xsd": types(taxonomy),
        f"taxonomie/dictionary/{party}-data.xsd": data(taxonomy),
        f"taxonomie/dictionary/{party}-linkroles.xsd": linkroles(taxonomy),
        f"taxonomie/dictionary/{party}-data-lab-nl.xml": labels(taxonomy),
    }
    for report in taxonomy["report"]:
        entry = report["entry"]
        content[f"taxonomie/presentation/{entry}-pre.xml"] = presentation(taxonomy, report)
        content[f"taxonomie/validation/{entry}-def.xml"] = definition(taxonomy, report)
        content[f"taxonomie/validation/{entry}-for.xml"] = formulas(taxonomy, report)
        content[f"taxonomie/entrypoints/{entry}.xsd"] = entrypoint(taxonomy, report)
    return _zip(f"{party}-{taxonomy['version']}", content)


def _zip(top: str, content: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in sorted(content.items()):
            info = zipfile.ZipInfo(f"{top}/{path}", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return out.getvalue()


def _hints(taxonomy: dict[str, Any]) -> str:
    """What a package may tell openpoort: rule sets, and which kinds its entry points serve."""
    base = f"{taxonomy['base']}/entrypoints"
    kinds: dict[str, list[str]] = {}
    severity: dict[str, str] = {}
    for report in taxonomy["report"]:
        for kind in report["kinds"]:
            kinds.setdefault(kind, []).append(f"{base}/{report['entry']}.xsd")
        for assertion in report.get("assertion", []):
            if "severity" in assertion:
                severity[assertion["id"]] = assertion["severity"].lower()
    return json.dumps(
        {"rules": taxonomy.get("rules", []), "kinds": kinds, "severity": severity}, indent=1
    )


def _metadata(taxonomy: dict[str, Any]) -> str:
    entries = "".join(
        f"    <tp:entryPoint>\n      <tp:name>{report['entry']}</tp:name>\n"
        f'      <tp:entryPointDocument href="{taxonomy["base"]}/entrypoints/'
        f'{report["entry"]}.xsd"/>\n    </tp:entryPoint>\n'
        for report in taxonomy["report"]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tp:taxonomyPackage xmlns:tp="http://xbrl.org/2016/taxonomy-package" xml:lang="nl">\n'
        f"  <tp:identifier>{taxonomy['identifier']}</tp:identifier>\n"
        f"  <tp:name>{taxonomy['name']}</tp:name>\n"
        f"  <tp:version>{taxonomy['version']}</tp:version>\n"
        f"  <tp:entryPoints>\n{entries}  </tp:entryPoints>\n</tp:taxonomyPackage>\n"
    )
