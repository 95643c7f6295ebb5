"""Signed messages made up: right ones spelled in every way, and some that were signed as others.

A message is drawn twice: as it is signed and as it is sent. Mostly the two are one document, and
only its spelling differs: character references, CDATA, entities, quotes, white space in tags, line
ends, comments and instructions. For the rest texts have changed places between the two, among them
whatever the codec itself leaves in the place of a content that it sets aside, learned by asking it.
"""

from __future__ import annotations

import hashlib
import random
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from xml.sax.saxutils import escape

from lxml import etree

from openpoort.wire.names import (
    ANONYMOUS,
    BASE64_BINARY,
    DIGEST_URI,
    DS,
    EXC_C14N,
    KOPPELVLAK,
    NONE,
    SIGNATURE_URI,
    SOAP,
    WSA,
    WSSE,
    WSU,
    X509V3,
)
from openpoort.wire.wus.services import AANLEVER, SERVICES, Service
from openpoort.wire.xml import detached_content
from tests.wire_kit import HOST, key

ID = f"{{{WSU}}}Id"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = 'multipart/related; type="application/xop+xml"; boundary="grens"'
Dice = random.Random


@dataclass(frozen=True, slots=True)
class Made:
    """A request as sent; `inlined` is what its signature is about (they differ for MTOM only),
    None where nobody knows."""

    raw: bytes
    content_type: str | None
    inlined: bytes | None


def messages(seed: int) -> Iterator[Made]:
    """Endless; the same for the same seed, but for the key."""
    dice = Dice(seed)
    while True:
        yield one(dice)


def one(dice: Dice) -> Made:
    draft = _Draft(dice)
    sent, signed = draft.texts()
    tree = etree.fromstring(draft.document(signed).replace(_SIGNATURE, ""))
    signature = draft.signature(tree)
    document = draft.document(sent).replace(_SIGNATURE, signature)
    if dice.random() < 0.04 and (packed := _packed(document)):
        return packed
    raw = _spelled(dice, document)
    return Made(raw, None, raw)


_SIGNATURE = "@SIGNATURE@"
# fmt: off
_TEXTS = (
    "k", "kenmerk-1", " ", "", "a b", "  a \n b\t", "<inhoud>", "inhoud>", "</inhoud>", "]]>", "&",
    "\u2060", "é\u0301", "\U0001f600", "\r", "a\r\nb", "\n", "'", '"', "--", "<!--", "-->", "<?x?>",
    "&amp;", "&#65;", "openpoort/aside/0000000/", "openpoort/aside/r000000/", "QUFB", "AAAA", "0",
    "#default", "@SIGNATUUR@", "x" * 60,
)
# fmt: on
_LONGS = (3069, 3071, 3072, 3073, 3075, 4096, 5000, 12_000)


@lru_cache(maxsize=1)
def placeholders() -> tuple[str, ...]:
    """What stands in the place of contents that are set aside, as far as texts go."""
    content = b"QUFB" * 2000
    short, _ = detached_content.lift(b"<a><inhoud>" + content + b"</inhoud></a>")
    found = re.search(rb"<inhoud>(.*)</inhoud>", bytes(short))
    return (found[1].decode(),) * 8 if found and found[1] != content else ()


class _Draft:
    """One message: its fields, and everything about it but their texts."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.service: Service = dice.choice([AANLEVER, AANLEVER, *SERVICES.values()])
        self.operation = dice.choice(self.service.operations)
        self.hash_name = dice.choice(("sha1", "sha256", "sha256", "sha384", "sha512"))
        self.prefixes = dice.sample(
            ("wsa", "wsse", "#default", "p", "niet"), dice.choice((0, 0, 1, 3))
        )
        self.named = dice.random() < 0.3
        self.gap = dice.choice(("", "", "\n", "\n  ", "\t"))
        self.instructions = dice.random() < 0.1
        self.again = dice.random() < 0.1
        self.odd = dice.random() < 0.1
        self.x509 = dice.random() < 0.1
        self.around = dice.choice((*" \n", *_OTHER_BLANKS)) if dice.random() < 0.1 else ""
        self.fields = self._fields()

    def _text(self) -> str:
        dice = self.dice
        if dice.random() < 0.25 and placeholders():
            return dice.choice(placeholders())
        return "".join(dice.choice(_TEXTS) for _ in range(dice.choice((1, 1, 1, 2, 3)))) or "k"

    def _content(self) -> str:
        dice = self.dice
        size = dice.choice((0, 1, 2, 3, 50, *_LONGS, 70_000 if dice.random() < 0.05 else 4))
        text = b64encode(dice.randbytes(size)).decode()
        if dice.random() < 0.3:
            text = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
        if dice.random() < 0.1:
            text = f" {text}\n"
        return text

    def _fields(self) -> list[tuple[str, str]]:
        """Leaves of the payload by path, in the order of the schema, and a text of each."""
        dice, maybe = self.dice, lambda: self.dice.random() < 0.5
        name = self.operation.name
        who = [("nummer", "001000044B37"), ("type", "BTW")]
        if name == "aanleveren":
            fields = [("berichtsoort", "Omzetbelasting")]
            fields += [("aanleverkenmerk", self._text())] if dice.random() < 0.8 else []
            fields += [("eerderAanleverkenmerk", self._text())] if maybe() else []
            fields += [(f"identiteitBelanghebbende/{n}", t) for n, t in who]
            fields += [("rolBelanghebbende", "Bedrijf")]
            fields += self._document("berichtInhoud")
            for number in range(dice.choice((0, 0, 1, 2))):
                fields += self._document(f"berichtBijlagen/bijlage {number}")
            return [*fields, *([("autorisatieAdres", self._text())] if maybe() else [])]
        if name == "afleveren":
            fields = [("kenmerk", self._text()), ("berichtsoort", "Omzetbelasting")]
            fields += [("berichtkenmerk", self._text())]
            fields += [("aanleverkenmerk", self._text())] if maybe() else []
            fields += [("tijdstempelAangeleverd", "2026-11-23T13:00:00Z")]
            fields += [(f"identiteitBelanghebbende/{n}", t) for n, t in who]
            fields += [("rolBelanghebbende", "Bedrijf"), *self._document("berichtInhoud")]
            return fields
        if name == "zetStatus":
            fields = [("kenmerk", self._text()), ("statuscode", "500")]
            fields += [("tijdstempelStatus", "2026-11-23T13:00:00.5+01:00")]
            return fields + ([("statusdetails", self._text())] if maybe() else [])
        if name == "getBerichtsoorten":
            return [(f"identiteitBelanghebbende/{n}", t) for n, t in who] if maybe() else []
        if name.endswith(("Proces", "Kenmerk")):
            return [("kenmerk", self._text())]
        return [("berichtsoort", "Omzetbelasting")]

    def _document(self, where: str) -> list[tuple[str, str]]:
        return [
            (f"{where}/mimeType", "application/xml"),
            (f"{where}/bestandsnaam", self._text()),
            (f"{where}/inhoud", self._content()),
        ]

    def texts(self) -> tuple[dict[str, str], dict[str, str]]:
        """As sent and as signed: mostly one, else a few texts in other places."""
        sent = dict(self.fields)
        signed = dict(sent)
        free = [p for p in sent if not p.endswith(("/nummer", "/type", "berichtsoort"))]
        if self.dice.random() < 0.6 or not free:
            return sent, signed
        some = self.dice.sample(free, min(len(free), self.dice.choice((1, 2, 2, 3))))
        long = [p for p in free if p.endswith("inhoud")]
        some = list(dict.fromkeys([*some, *(long[:1] if self.dice.random() < 0.7 else [])]))
        pool = [sent[p] for p in some] + [self._text(), *placeholders()[:1]]
        if self.dice.random() < 0.5:
            for path in some:
                sent[path], signed[path] = self.dice.choice(pool), self.dice.choice(pool)
            return sent, signed
        for path in some:  # what is short becomes another; then they change places
            sent[path] = sent[path] if len(sent[path]) > 100 else self.dice.choice(pool[-2:])
        signed.update({p: sent[q] for p, q in zip(some, reversed(some), strict=True)})
        return sent, signed

    def document(self, texts: dict[str, str]) -> str:
        """The envelope as plain as can be, with a mark where the signature goes."""
        gap = self.gap
        token = b64encode(key().certificate).decode()
        bst = (
            f'<wsse:BinarySecurityToken wsu:Id="token" ValueType="{X509V3}" '
            f'EncodingType="{BASE64_BINARY}">{token}</wsse:BinarySecurityToken>{gap}'
        )
        headers = [
            f'<wsa:To wsu:Id="to">{self.around}{HOST}{self.service.path}</wsa:To>',
            f'<wsa:Action wsu:Id="action">{self.operation.action}{self.around}</wsa:Action>',
            f'<wsa:MessageID wsu:Id="message">urn:uuid:0d3f2f2a{self.around}</wsa:MessageID>',
        ]
        endpoint = "<wsa:{0} wsu:Id='{0}'><wsa:Address>{1}</wsa:Address></wsa:{0}>"
        headers += [endpoint.format("ReplyTo", ANONYMOUS)] if self.named else []
        headers += [endpoint.format("FaultTo", NONE)] if self.x509 else []
        related = 'wsa:RelatesTo wsu:Id="related" RelationshipType="urn:&lt;inhoud&gt;&gt;"'
        headers += [f"<{related}>{NONE}</wsa:RelatesTo>"] if self.again else []
        security = (
            f'<wsse:Security soapenv:mustUnderstand="1">{gap}<wsu:Timestamp wsu:Id="time">{gap}'
            f"<wsu:Created>2026-11-23T13:00:00Z</wsu:Created>{gap}"
            f"<wsu:Expires>2026-11-23T13:05:00Z</wsu:Expires>{gap}</wsu:Timestamp>{gap}"
            f"{'' if self.x509 else bst}{_SIGNATURE}{gap}</wsse:Security>"
        )
        headers.insert(len(self.fields) % (len(headers) + 1), security)
        return (
            f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsse="{WSSE}" '
            f'xmlns:wsu="{WSU}" xmlns:p="urn:p">{gap}<soapenv:Header>{gap}{gap.join(headers)}{gap}'
            f'</soapenv:Header>{gap}<soapenv:Body wsu:Id="body">{gap}{self._payload(texts)}{gap}'
            "</soapenv:Body></soapenv:Envelope>"
        )

    def _payload(self, texts: dict[str, str]) -> str:
        """Elements opened and closed as the paths have it."""
        p = "k:" if self.named else ""
        declared = f' xmlns:k="{KOPPELVLAK}"' if self.named else f' xmlns="{KOPPELVLAK}"'
        top = etree.QName(self.operation.request).localname
        where = f' xmlns:x="{XSI}" x:schemaLocation="urn:a &gt;/&gt; &lt;inhoud&gt;"'
        declared += where if self.odd else ""
        parts, open_now = [f"<{p}{top}{declared}>"], list[str]()
        mark = "<?soort waarde <inhoud>?>" if self.instructions else ""
        for path, text in texts.items():
            *holders, leaf = path.split("/")
            while open_now != holders[: len(open_now)]:
                parts.append(f"</{p}{open_now.pop().split()[0]}>{self.gap}")
            for holder in holders[len(open_now) :]:
                parts.append(f"<{p}{holder.split()[0]}>{self.gap}")
                open_now.append(holder)
            parts.append(f"{mark}<{p}{leaf}>{_escaped(text)}</{p}{leaf}>{self.gap}")
        parts += [f"</{p}{holder.split()[0]}>{self.gap}" for holder in reversed(open_now)]
        return "".join([*parts, f"</{p}{top}>"])

    def signature(self, tree: etree._Element) -> str:
        """ds:Signature over every part of `tree` with an id but the token."""
        parts = [e for e in tree.iter("*") if e.get(ID) not in (None, "token")]
        self.dice.shuffle(parts)
        parts += self.dice.sample(parts, 1) if self.again else []
        d = self.dice.choice(("", "ds:"))
        space = f' xmlns:ds="{DS}"' if d else f' xmlns="{DS}"'
        listed = " ".join(self.prefixes)
        inner = (
            f'<e:InclusiveNamespaces xmlns:e="{EXC_C14N}" PrefixList="{listed}"/>' if listed else ""
        )

        def reference(part: etree._Element) -> str:
            form = _canonical(part, self.prefixes)
            digest = hashlib.new(self.hash_name, form, usedforsecurity=False).digest()
            return (
                f'<{d}Reference URI="#{part.get(ID)}"><{d}Transforms>'
                f'<{d}Transform Algorithm="{EXC_C14N}">{inner}</{d}Transform></{d}Transforms>'
                f'<{d}DigestMethod Algorithm="{DIGEST_URI[self.hash_name]}"/>'
                f"<{d}DigestValue>{b64encode(digest).decode()}</{d}DigestValue></{d}Reference>"
            )

        info = (
            f'<{d}SignedInfo{space}>{self.gap}<{d}CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
            f'<{d}SignatureMethod Algorithm="{SIGNATURE_URI[self.hash_name]}"/>'
            f"{self.gap.join(map(reference, parts))}</{d}SignedInfo>"
        )
        value = key().sign(_canonical(etree.fromstring(info), ()), self.hash_name)
        token = b64encode(key().certificate).decode()
        pointer = (
            f"<{d}X509Data><{d}X509Certificate>{token}</{d}X509Certificate></{d}X509Data>"
            if self.x509
            else f'<wsse:SecurityTokenReference><wsse:Reference URI="#token" ValueType="{X509V3}"/>'
            "</wsse:SecurityTokenReference>"
        )
        return (
            f"<{d}Signature{space}>{info.replace(space, '', 1)}"
            f"<{d}SignatureValue>{b64encode(value).decode()}</{d}SignatureValue>"
            f"<{d}KeyInfo>{pointer}</{d}KeyInfo></{d}Signature>"
        )


def _escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def _canonical(element: etree._Element, prefixes: Iterable[str]) -> bytes:
    listed = list(prefixes)
    for prefix in listed:  # lxml silently drops one it has never read
        etree.fromstring(f'<x xmlns:{prefix.removeprefix("#")}="urn:x"/>')
    if "#default" in listed:
        for _ in etree.iterparse(BytesIO(b"<x/>"), tag="#default"):
            pass
    return etree.tostring(
        element,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=listed or None,
    )


_TOKENS = re.compile(r"(<\?.*?\?>|<[^>]*>)", re.DOTALL)
_EMPTY = re.compile(r"<([\w:]+)([^<>]*)></\1>")
_OTHER_BLANKS = ("\u00a0", "\u2003", "\u0085", "\u2028")
"""White space to Python, characters like any other to XML."""
_REMARK = ("<!---->", "<!-- x -->", "<!--<inhoud>-->", "<!-- <a> ' \" ]]> -->")


def _spelled(dice: Dice, document: str) -> bytes:
    """The same infoset in other octets; rarely a comment or an instruction more."""
    if dice.random() < 0.3:
        document = _EMPTY.sub(
            lambda m: m[0] if dice.random() < 0.5 else f"<{m[1]}{m[2]}/>", document
        )
    careful = dice.random() < 0.2
    remarks = dice.choice((0, 0, 0.02, 0.3))
    rude = dice.random() < 0.1
    parts = _TOKENS.split(document)
    for number, part in enumerate(parts):
        if number % 2:
            if not careful and not part.startswith("<?"):
                parts[number] = _tag(dice, part)
            continue
        if not part.strip():
            if dice.random() < remarks and not _in_leaf(parts, number):
                parts[number] = part + _remark(dice)
            continue
        if not careful:
            parts[number] = _characters(dice, part)
        if rude and dice.random() < 0.15:
            at = dice.randrange(len(part) + 1)
            parts[number] = (
                part[:at] + dice.choice((*_REMARK, "<?x y?>", *_OTHER_BLANKS)) + part[at:]
            )
    head = dice.choice(("", "", '<?xml version="1.0" encoding="UTF-8"?>', "\ufeff", "<!-- x -->\n"))
    tail = dice.choice(("", "", "\n", "<!-- <inhoud> -->"))
    text = head + "".join(parts) + tail
    if dice.random() < 0.1:
        end = dice.choice(("\r\n", "\r\n", "\r"))
        text = text.replace("\n", end)
    return text.encode()


def _in_leaf(parts: list[str], number: int) -> bool:
    """Between the start and the end tag of one element: a comment there is inside its text."""
    if number == 0 or number + 1 >= len(parts):
        return True
    return not parts[number - 1].startswith("</") and parts[number + 1].startswith("</")


def _remark(dice: Dice) -> str:
    if dice.random() < 0.1:
        return f"<!--<inhoud>{'QUFB' * 1100}</inhoud>-->"
    return dice.choice(_REMARK)


def _tag(dice: Dice, tag: str) -> str:
    if dice.random() < 0.9:
        return tag
    if tag.startswith("</"):
        return tag[:-1] + dice.choice(("", " ", "\n")) + ">"
    tag = re.sub(r'="([^"\']*)"', lambda m: f"='{m[1]}'" if dice.random() < 0.5 else m[0], tag)
    tag = tag.replace("&gt;", dice.choice(("&gt;", ">", "&#62;")))
    if dice.random() < 0.3:
        tag = re.sub(r'(URI|Algorithm|Id)=(["\'])(.)', _attribute, tag)
    return re.sub(r"\s", lambda m: dice.choice((m[0], "\n", "  ")), tag)


def _attribute(found: re.Match[str]) -> str:
    return f"{found[1]}={found[2]}&#{ord(found[3])};"


_ATOMS = re.compile(r"&[^;]+;|.", re.DOTALL)


def _characters(dice: Dice, text: str) -> str:
    """References for some characters, CDATA for some stretches."""
    kind = dice.random()
    if kind < (0.5 if len(text) < 100 else 0.8):
        return text
    if kind < 0.6 and "&" not in text and "]]>" not in text and "\r" not in text:
        return f"<![CDATA[{text}]]>"
    atoms = _ATOMS.findall(text)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(atoms))
        if len(atoms[at]) == 1:
            code = ord(atoms[at])
            ways = (f"&#{code};", f"&#x{code:x};", f"&#x000{code:X};", f"<![CDATA[{atoms[at]}]]>")
            if atoms[at] != "\n":
                atoms[at] = dice.choice(ways)
        elif atoms[at] == "&gt;" and dice.random() < 0.5:
            atoms[at] = ">" if "".join(atoms[max(at - 2, 0) : at]) != "]]" else "&#62;"
        elif atoms[at] in ("&lt;", "&amp;", "&gt;"):
            atoms[at] = {"&lt;": "<![CDATA[<]]>", "&amp;": "&#38;", "&gt;": "&#x3e;"}[atoms[at]]
    return "".join(atoms)


_CONTENT = re.compile(r"(<(k:)?inhoud>)([A-Za-z0-9+/=]+)(</)")


def _packed(document: str) -> Made | None:
    """The same with its contents in MTOM parts."""
    contents: list[bytes] = []

    def out(found: re.Match[str]) -> str:
        try:
            octets = a2b_base64(found[3], strict_mode=True)
        except ValueError:
            return found[0]
        if b64encode(octets).decode() != found[3]:
            return found[0]
        contents.append(octets)
        href = f"cid:{len(contents)}@x"
        xop = f'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="{href}"/>'
        return f"{found[1]}{xop}{found[4]}"

    root = _CONTENT.sub(out, document)
    if not contents:
        return None
    head = "--grens\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n"
    parts = [head.encode() + root.encode()]
    parts += [
        f"--grens\r\nContent-Type: application/octet-stream\r\nContent-ID: <{n}@x>\r\n\r\n".encode()
        + c
        for n, c in enumerate(contents, 1)
    ]
    return Made(b"\r\n".join(parts) + b"\r\n--grens--\r\n", TYPE, document.encode())
