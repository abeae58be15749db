"""Read a document into a title and blocks: Markdown by its tokens, HTML by its tags, plain text by its blank lines.

Bytes or text in, blocks out; a PDF is read in a process of its own. Markup, scripts and navigation never become
knowledge; headings and lists stay what they are. A document that cannot be read raises `Unreadable` with one sentence,
and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from escalade.assistant import apart
from escalade.assistant.document import Block, Document, Kind, Unreadable
from escalade.assistant.markup import read_markup

MARKDOWN = frozenset({".md", ".markdown"})
_PARSER = MarkdownIt("commonmark").enable("table")
_RENDERER = RendererHTML()
HTML = frozenset({".html", ".htm"})
PLAIN = frozenset({".txt"})
PDF = frozenset({".pdf"})
SUFFIXES = MARKDOWN | HTML | PLAIN | PDF
LARGEST_FILE = 8_000_000
LARGEST_PDF = 20_000_000  # pictures are most of it


def read_file(name: str, content: bytes) -> Document:
    """Read a file by the ending of its name."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise Unreadable(f"a {suffix or 'nameless'} file is not read; use Markdown, HTML, PDF or plain text")
    check_size(name, len(content))
    fallback = re.sub(r"[-_]+", " ", path.stem).strip().capitalize() or path.name
    if suffix in PDF:
        document = read_pdf(content, fallback)
    elif suffix in MARKDOWN:
        document = read_markdown(decode(content), fallback)
    elif suffix in HTML:
        document = read_html(decode(content, markup=True), fallback)
    else:
        document = read_plain(decode(content), fallback)
    if not any(block.kind is not Kind.HEADING for block in document.blocks):
        raise Unreadable("it has no text")
    return document


def check_size(name: str, size: int) -> None:
    """Refuse a file of so many bytes if it is too large for its kind."""
    largest = LARGEST_PDF if PurePosixPath(name).suffix.lower() in PDF else LARGEST_FILE
    if size > largest:
        raise Unreadable(f"it is larger than {largest // 1_000_000} MB; split it")


def read_pdf(content: bytes, fallback: str) -> Document:
    """Read a PDF; the title is its largest heading's, else what it says of itself."""
    document = apart.read_pdf(content, fallback)
    return _titled(document.title, document.blocks)


def decode(content: bytes, *, markup: bool = False) -> str:
    """Give the text of a file: UTF-8, else what its markup declares, else Windows' Latin."""
    if b"\0" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("it is not text")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = re.search(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", content[:2048]) if markup else None
        try:
            return content.decode(declared.group(1).decode("ascii") if declared else "cp1252", errors="replace")
        except LookupError:
            return content.decode("cp1252", errors="replace")


def read_plain(text: str, fallback: str) -> Document:
    """Read plain text; a short first line above a blank line, without a full stop, is the title."""
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()]
    title = fallback
    if len(parts) > 1 and len(parts[0]) <= 90 and not parts[0].endswith((".", ":", ";", ",")):
        title = parts.pop(0)
    return Document(title=title, blocks=tuple(Block(kind=Kind.PARAGRAPH, text=part) for part in parts))


def read_html(text: str, fallback: str) -> Document:
    """Read a page's main part; the title is its first top heading, else the page's own title."""
    page = read_markup(text)
    blocks = tuple(
        Block(
            kind=Kind(kind), text=content, level=number if kind == "heading" else 0, n=number if kind == "step" else 0
        )
        for kind, number, content in page.blocks
    )
    return _titled(page.heading or page.title or fallback, blocks)


def read_markdown(text: str, fallback: str) -> Document:
    """Read Markdown by its tokens; the title is the front matter's, else the first heading."""
    matter, body = _front_matter(text.replace("\r\n", "\n"))
    blocks = tuple(_markdown_blocks(_PARSER.parse(body)))
    first = next((block for block in blocks if block.kind is Kind.HEADING), None)
    top = next((block for block in blocks if block.kind is Kind.HEADING and block.level == 1), first)
    return _titled(matter or (top.text if top else fallback), blocks)


def _titled(title: str, blocks: tuple[Block, ...]) -> Document:
    """Make a document; a heading that repeats the title is not said twice."""
    title = " ".join(title.split())[:300]
    if blocks and blocks[0].kind is Kind.HEADING and blocks[0].text == title:
        blocks = blocks[1:]
    return Document(title=title, blocks=blocks)


def _front_matter(text: str) -> tuple[str, str]:
    found = re.match(r"---[ \t]*\n(.{0,4000}?\n)?(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    if not found:
        return "", text
    title = re.search(r"^title:[ \t]*(.+?)[ \t]*$", found.group(1) or "", re.MULTILINE)
    return (title.group(1).strip("\"'") if title else ""), text[found.end() :]


def _markdown_blocks(tokens: list[Token]) -> Iterator[Block]:
    lists: list[int | None] = []  # the next number of each list we are in; none: without numbers
    opening = False  # the next paragraph begins an item
    row: list[str] | None = None
    level = 0
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1:])
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_close" | "bullet_list_close":
                lists.pop()
            case "list_item_open":
                opening = True
            case "tr_open":
                row = []
            case "tr_close":
                yield from _block(Kind.LINES, " | ".join(row or ()))
                row = None
            case "fence" | "code_block":
                yield from _block(Kind.LINES, token.content.strip("\n"))
            case "html_block":
                page = read_markup(token.content)
                for kind, number, content in page.blocks:
                    yield Block(kind=Kind(kind), text=content, level=number if kind == "heading" else 0)
            case "inline":
                text = " ".join(_inline(token).split())
                if row is not None:
                    row.append(text)
                elif level:
                    yield from _block(Kind.HEADING, text, level=level)
                    level = 0
                elif opening and lists:
                    step = lists[-1]
                    if step is None:
                        yield from _block(Kind.POINT, text)
                    else:
                        yield from _block(Kind.STEP, text, n=step)
                        lists[-1] = step + 1
                    opening = False
                else:
                    yield from _block(Kind.PARAGRAPH, text)


def _block(kind: Kind, text: str, *, level: int = 0, n: int = 0) -> Iterator[Block]:
    if text.strip(" |"):
        yield Block(kind=kind, text=text, level=level, n=n)


def _inline(token: Token) -> str:
    parts: list[str] = []
    if any(
        child.type == "html_inline" and not child.content.lower().startswith("<br") for child in token.children or ()
    ):
        rendered = _RENDERER.renderInline(token.children or [], _PARSER.options, {})
        return " ".join(text for _, _, text in read_markup(rendered).blocks)  # it knows what a reader sees
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type.endswith("break") or child.content.lower().startswith("<br"):
            parts.append(" ")
    return "".join(parts)
