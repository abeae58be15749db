"""The data files: each case is a request, its answer and what must hold besides.

    [heads]                     named request heads; the first is the one a case has unless it says otherwise
    [[case]]
    row, name                   which row, and the case in a few words
    given                       the scene it plays in (`place.py`); `quiet` unless it says otherwise
    each                        a list: one case for each, named in head and body as `$(each)`
    head, plus, less            the head's name; lines added; names of lines left out
    request                     or a whole head of its own
    body                        the body; its length is `$(length)`
    pace                        seconds between the bytes of the body
    answer, problem, pointer    the status, or "closed" for none at all; the kind of problem; what it points at
    json, has, hasnt            the answer's document; headers it has (with a value, or a part of one); what it lacks
    closes                      the connection ends after the answer
    times                       sent so often, one after the other
    holds                       effects, in the vocabulary of `effects.py`
    [[code]] row, test, why     a row that is not a request: the test that shows it
    [[open]] row, why           a row nobody can answer yet

In a head, lines end as they are written; each is sent with CRLF. `$(name)` stands for what the place knows by that
name, for what depends on the rest, `$(length)` and `$(sign now)`, and for bytes that cannot be written down:
`$(hex ff fe)`, `$(repeat 100000 [)`, `$(utf-16 text)`, `$(lf)`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.inputs.rows import FAMILIES

FOLDER = Path(__file__).parent
KEYS = frozenset(
    {"row", "name", "given", "each", "head", "plus", "less", "request", "body", "pace", "answer", "problem"}
    | {"pointer", "json", "has", "hasnt", "closes", "times", "holds"}
)
_SPELL = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request, or the same one several times."""

    row: str
    name: str
    head: str
    body: str = ""
    given: str = "quiet"
    each: str | None = None
    number: int = 0
    pace: float = 0.0
    answer: int | str
    problem: str = ""
    pointer: str | None = None
    json: Mapping[str, Any] = field(default_factory=dict)
    has: Mapping[str, str] = field(default_factory=dict)
    hasnt: tuple[str, ...] = ()
    closes: bool = False
    times: int = 1
    holds: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name the case where tests are listed."""
        each = "" if self.each is None else f" {self.number} {self.each.encode('unicode_escape').decode()[:40]}"
        return f"{self.row} {self.name}{each}"

    def bytes(self, known: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Give head and body as they go over the wire."""
        names = dict(known) if self.each is None else {**known, "each": self.each}
        body = spell(self.body, names)
        names["length"] = str(len(body))
        names["body"] = body.decode("latin-1")
        lines = self.head.strip("\n").split("\n")
        return b"".join(spell(line, names) + b"\r\n" for line in lines) + b"\r\n", body


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A row that a test of its own shows."""

    row: str
    test: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A row nobody can answer yet."""

    row: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One data file."""

    cases: tuple[Case, ...]
    codes: tuple[Code, ...]
    open: tuple[Open, ...]


def spell(text: str, names: Mapping[str, str]) -> bytes:
    """Put in what a text names, and give its bytes: UTF-8, but for the bytes it spells out."""
    parts: list[bytes] = []
    done = 0
    for match in _SPELL.finditer(text):
        parts += [text[done : match.start()].encode(), _meant(match[1], names)]
        done = match.end()
    return b"".join((*parts, text[done:].encode()))


def _meant(word: str, names: Mapping[str, str]) -> bytes:
    verb, _, rest = word.partition(" ")
    match verb:
        case "hex":
            return bytes.fromhex(rest)
        case "lf":
            return b"\n"
        case "crlf":
            return b"\r\n"
        case "repeat":
            count, _, what = rest.partition(" ")
            return spell(what, names) * int(count)
        case "lines":  # that many header lines, each with a name of its own
            return b"\r\n".join(b"x-%d: 1" % number for number in range(int(rest)))
        case "utf-16" | "latin-1" | "utf-8-sig":
            return rest.encode(verb)
        case "chunks":  # a body in chunks of a size, and no end to it
            size, _, count = rest.partition(" ")
            return b"%x\r\n%s\r\n" % (int(size), b" " * int(size)) * int(count)
        case "chunked":  # a body in one chunk, ended
            body = spell(rest, names)
            return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        case "sign":  # the signature of the body, or of other words: at an instant, with a secret
            at, secret, other = (*rest.split(" ", 2), "", "")[:3]
            body = spell(other, names) if other else names["body"].encode("latin-1")
            key = names.get(secret or "secret", secret).encode()
            return base64.b64encode(hmac.new(key, names.get(at, at).encode() + body, hashlib.sha256).digest())
        case "each":
            return spell(names["each"], {name: value for name, value in names.items() if name != "each"})
        case _:
            return names[word].encode()


def read(name: str) -> Family:
    """Read one family's data file."""
    document = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    heads: dict[str, str] = document.get("heads", {})
    cases = [case for entry in document.get("case", []) for case in _cases(entry, heads)]
    codes = [Code(**entry) for entry in document.get("code", [])]
    return Family(cases=tuple(cases), codes=tuple(codes), open=tuple(Open(**one) for one in document.get("open", [])))


def _cases(entry: dict[str, Any], heads: Mapping[str, str]) -> list[Case]:
    unknown = set(entry) - KEYS
    assert not unknown, f"{entry['row']} {entry['name']}: no such key: {unknown}"
    kept = {name: value for name, value in entry.items() if name not in {"each", "head", "plus", "less", "request"}}
    for name in ("hasnt", "holds"):
        kept[name] = tuple(kept.get(name, ()))
    head = entry.get("request") or _head(heads, entry)
    return [Case(**kept, head=head, each=each, number=n) for n, each in enumerate(entry.get("each", [None]), start=1)]


def _head(heads: Mapping[str, str], entry: Mapping[str, Any]) -> str:
    lines = heads[entry.get("head", next(iter(heads)))].strip("\n").split("\n")
    for name in entry.get("less", ()):
        fewer = [line for line in lines if not line.lower().startswith(f"{name}:")]
        assert len(fewer) < len(lines), f"{entry['row']} {entry['name']}: there is no {name} to leave out"
        lines = fewer
    return "\n".join([*lines, *entry.get("plus", ())])


FILES: Mapping[str, Family] = {name: read(name) for name, _ in FAMILIES.values()}
CASES = tuple(case for family in FILES.values() for case in family.cases)
