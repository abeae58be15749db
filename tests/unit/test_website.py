"""A web site is read within its bounds, as it wishes, and no further; over real HTTP."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.website import Website, website

from escalade.channels.http import Outbound
from escalade.channels.website import robots, sitemap
from escalade.channels.website.crawl import Limits, Page, Site
from escalade.channels.website.decoding import text_of
from escalade.channels.website.scope import Scope, spelt
from escalade.channels.website.visit import World
from escalade.domain.errors import Refused, Retryable
from escalade.services.ports import Ports


@dataclass(slots=True)
class Time:
    """A clock that only waiting moves, so that nothing really waits."""

    at: int = 0
    waited: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += int(seconds * 1000)


@pytest.fixture(scope="module")
def _served() -> Iterator[Website]:
    with website() as found:
        yield found


@pytest.fixture
def site(_served: Website) -> Website:
    _served.pages.clear()
    _served.asked.clear()
    return _served


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    found = Outbound(allow_http_loopback=True)
    yield found
    await found.close()


@pytest.fixture
def time() -> Time:
    return Time()


def opened(outbound: Outbound, address: str, time: Time, **limits: Any) -> Site:
    world = World(sleep=time.sleep, now=lambda: time.at)
    return Site(outbound, address, world, aside=Ports().aside, limits=Limits(**limits))


async def paths(reading: Site, site: Website) -> list[str]:
    return [page.url.removeprefix(site.url) async for page in reading.pages()]


async def everything(reading: Site) -> list[Page]:
    return [page async for page in reading.pages()]


async def test_links_are_followed_within_the_site_and_each_page_is_asked_for_once(
    site: Website, outbound: Outbound, time: Time
) -> None:
    site.page(
        "/", "Home.", "/a", "b#part", "/a?utm_source=x", "https://elsewhere.example/", "mailto:x@y.example", "/p.png"
    )
    site.page("/a", "A.", "/", "./b", "c/")
    site.page("/b", "B.", "//elsewhere.example/x", "javascript:alert(1)", "http://[broken", "/a")
    site.page("/c/", "C.", "../../a", "d", head='<base href="/c/deep/">')
    site.page("/c/deep/d", "D.")
    reading = opened(outbound, site.url, time)
    assert await paths(reading, site) == ["/", "/a", "/b", "/c/", "/c/deep/d"]
    assert sorted(site.asked) == sorted(["/robots.txt", "/sitemap.xml", "/", "/a", "/b", "/c/", "/c/deep/d"])
    assert all(agent.startswith("escalade/") for agent in site.agents)
    assert reading.listed == 5
    assert reading.skipped == {"neither pages nor PDF": 1}


async def test_only_what_lies_below_the_address_is_read(site: Website, outbound: Outbound, time: Time) -> None:
    site.page("/docs/start.html", "Start.", "/docs/a", "/", "/docsother", "/doc", "/docs/../secret", "/docs/%2e%2e/up")
    site.page("/docs/a", "A.")
    site.page("/docs/%2e%2e/up", "Its name is odd; it is still below.")
    assert await paths(opened(outbound, f"{site.url}/docs/start.html", time), site) == ["/docs/start.html", "/docs/a"]


async def test_a_sitemap_names_the_pages(site: Website, outbound: Outbound, time: Time) -> None:
    site.put(
        "/robots.txt", "User-agent: *\nAllow: /\nSitemap: {url}/maps/index.xml\nSitemap: https://cdn.example/s.xml"
    )
    site.put(
        "/maps/index.xml",
        "<sitemapindex><sitemap><loc>{url}/maps/1.xml.gz</loc></sitemap>"
        "<sitemap><loc> <![CDATA[{url}/maps/2.xml]]> </loc></sitemap><sitemap><loc>{url}/maps/gone.xml</loc></sitemap>"
        "<sitemap><loc>{url}/maps/index.xml</loc></sitemap></sitemapindex>",
    )
    packed = f"<urlset><url><loc>{site.url}/one</loc><image:loc>{site.url}/i.png</image:loc></url></urlset>"
    site.put("/maps/1.xml.gz", gzip.compress(packed.encode()), "application/gzip")
    site.put(
        "/maps/2.xml", "<urlset><url><loc>{url}/two?a=1&amp;b=2</loc></url><loc>https://other.example/</loc></urlset>"
    )
    site.page("/", "Home.", "/linked")
    site.page("/one", "One.", "/linked", "/manual.pdf")
    site.page("/two?a=1&b=2", "Two.")
    site.page("/linked", "Not in the sitemap.")
    site.put("/manual.pdf", b"%PDF-", "application/pdf")
    found = await everything(opened(outbound, site.url, time))
    assert [(page.url.removeprefix(site.url), page.is_pdf) for page in found] == [
        ("/one", False), ("/two?a=1&b=2", False), ("/manual.pdf", True),
    ]  # fmt: skip
    assert "/linked" not in site.asked


async def test_what_robots_txt_forbids_is_not_asked_for_and_its_pace_is_kept(
    site: Website, outbound: Outbound, time: Time
) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /private\nDisallow: /*?sort=\nCrawl-delay: 3")
    site.page("/", "Home.", "/private/x", "/list?sort=up", "/open")
    site.page("/open", "Open.")
    reading = opened(outbound, site.url, time)
    assert await paths(reading, site) == ["/", "/open"]
    assert not {"/private/x", "/list?sort=up"} & set(site.asked)
    assert reading.skipped == {"kept from programs by robots.txt": 2}
    assert time.waited == [3.0] * 3, "after robots.txt, the entrance and the sitemap"


async def test_a_site_that_wants_no_programs_is_left_alone(site: Website, outbound: Outbound, time: Time) -> None:
    site.put("/robots.txt", "User-agent: escalade\nDisallow: /\n\nUser-agent: *\nAllow: /")
    site.page("/", "Home.")
    with pytest.raises(Refused, match=r"robots\.txt asks"):
        await everything(opened(outbound, site.url, time))
    site.put("/robots.txt", status=503)
    with pytest.raises(Retryable, match=r"robots\.txt cannot be had"):
        await everything(opened(outbound, site.url, time))
    assert "/" not in site.asked


async def test_noindex_nofollow_and_canonical_are_heeded(site: Website, outbound: Outbound, time: Time) -> None:
    site.page("/", "Home.", "/hidden", "/header", "/leaf", "/print", "/wrong", '/x" rel="nofollow')
    site.page("/hidden", "Hidden.", "/beyond", head='<meta name="Robots" content="NOINDEX">')
    site.put("/header", "<p>By header.</p>", x_robots_tag="escalade: noindex, nofollow")
    site.page("/leaf", "Leaf.", "/never", head='<meta name="robots" content="nofollow">')
    site.page("/print", "Print.", head='<link rel="canonical" href="/proper">')
    site.page("/proper", "Proper.")
    site.page("/wrong", "Every page claims to be the entrance.", head='<link rel=canonical href="{url}/">')
    site.page("/beyond", "Beyond.")
    reading = opened(outbound, site.url, time)
    assert await paths(reading, site) == ["/", "/leaf", "/proper", "/wrong", "/beyond"]
    assert not {"/never", "/x", "/proper"} & set(site.asked)
    assert reading.skipped == {"not to be found (noindex)": 2}


async def test_a_redirect_is_followed_within_the_site_only(
    site: Website, outbound: Outbound, time: Time, connects: list[tuple[Any, ...]]
) -> None:
    with website() as other:
        site.page("/", "Home.", "/old", "/away", "/meta", "/loop")
        site.put("/old", status=301, location="/new")
        site.page("/new", "New.")
        site.put("/away", status=302, location=f"{other.url}/")
        site.put("/meta", status=302, location="http://169.254.169.254/latest")
        site.put("/loop", status=302, location="/loop")
        reading = opened(outbound, site.url, time)
        assert await paths(reading, site) == ["/", "/new"]
        assert other.asked == []
        assert reading.skipped == {"leading elsewhere": 2}
        site.put("/", status=302, location=f"{other.url}/")
        with pytest.raises(Refused, match="leads to another site"):
            await everything(opened(outbound, site.url, time))
        assert other.asked == []
    assert {address[0] for (address, *_) in connects if isinstance(address, tuple)} == {"127.0.0.1"}


async def test_an_entrance_that_leads_on_is_where_the_site_begins(
    site: Website, outbound: Outbound, time: Time
) -> None:
    site.put("/help", status=302, location="/help/en/")
    site.page("/help/en/", "Help.", "/help/en/a", "/shop")
    site.page("/help/en/a", "A.")
    assert await paths(opened(outbound, f"{site.url}/help", time), site) == ["/help/en/", "/help/en/a"]


async def test_what_is_no_page_is_passed_over_and_what_is_too_large_says_so(
    site: Website, outbound: Outbound, time: Time
) -> None:
    site.page("/", "Home.", "/data", "/film", "/large", "/gone", "/staff", "/a.pdf")
    site.put("/data", "{}", "application/json")
    site.put("/film", b"x" * 60_000, "video/mp4")
    site.put("/large", "x" * 60_000)
    site.put("/gone", status=410)
    site.put("/staff", status=403)
    site.put("/a.pdf", b"%PDF-" + b"x" * 60_000, "application/pdf")
    reading = opened(outbound, site.url, time, html_bytes=50_000, pdf_bytes=100_000)
    found = {page.url.removeprefix(site.url): page for page in await everything(reading)}
    assert set(found) == {"/", "/large", "/a.pdf"}
    assert (found["/large"].error, found["/large"].passing) == ("it is larger than 0 MB", False)
    assert found["/a.pdf"].content.startswith(b"%PDF-")
    assert reading.skipped == {"neither pages nor PDF": 2, "gone": 1, "answered 403": 1}


async def test_a_page_in_trouble_is_tried_again_and_a_site_in_trouble_is_no_empty_site(
    site: Website, outbound: Outbound, time: Time
) -> None:
    site.page("/", "Home.", "/slow", "/down")
    site.page("/slow", "Slow.")
    page = site.pages["/slow"]
    assert isinstance(page, tuple)
    site.pages["/slow"] = [(429, {"retry-after": "20"}, b""), page]
    site.put("/down", status=503)
    found = await everything(opened(outbound, site.url, time))
    assert [(page.url.removeprefix(site.url), page.passing) for page in found] == [
        ("/", False), ("/slow", False), ("/down", True),
    ]  # fmt: skip
    assert 20.0 in time.waited
    site.page("/", "Home.", *(f"/down?{number}" for number in range(9)))
    for number in range(9):
        site.put(f"/down?{number}", status=500)
    with pytest.raises(Retryable, match="answered 500"):
        await everything(opened(outbound, site.url, time))


async def test_a_site_without_end_ends(site: Website, outbound: Outbound, time: Time) -> None:
    site.page("/", "Home.", *(f"/calendar?day={day}" for day in range(80)), "/deep/0")
    for day in range(80):
        site.page(f"/calendar?day={day}", f"Day {day}.")
    for number in range(8):
        site.page(f"/deep/{number}", f"Deep {number}.", f"/deep/{number + 1}")
    reading = opened(outbound, site.url, time, depth=3)
    found = await paths(reading, site)
    assert len([path for path in found if path.startswith("/calendar")]) == 50
    assert [path for path in found if path.startswith("/deep")] == ["/deep/0", "/deep/1", "/deep/2"]
    assert reading.skipped == {"one path with too many queries": 30}
    reading = opened(outbound, site.url, time, pages=5)
    assert len(await paths(reading, site)) == 5
    assert reading.skipped["pages beyond the first 5"] == 47
    with pytest.raises(Retryable, match=r"within 0\.05 minutes"):
        await everything(opened(outbound, site.url, time, seconds=3))


async def test_a_private_network_is_not_reached_outside_development(
    connects: list[tuple[Any, ...]], time: Time
) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["10.0.0.7"]

    outbound = Outbound(resolve=resolve)
    for address in ("https://intranet.example/", "https://10.0.0.7/", "http://127.0.0.1:80/", "ftp://x.example/"):
        with pytest.raises(Refused):
            await everything(opened(outbound, address, time))
    await outbound.close()
    assert connects == []


# pieces


@pytest.mark.parametrize(
    ("pattern", "path", "fit"),
    [
        ("/", "/x", True), ("/a", "/b", False), ("/*.php$", "/x/y.php", True), ("/*.php$", "/x.php?y", False),
        ("/a*b*c", "/a1b2c3", True), ("/a*b*c", "/acb", False), ("/a$", "/a", True), ("/a$", "/ab", False),
        ("/a*a$", "/a", False), ("/a*a$", "/aa", True), ("*", "/", True), ("/" + "*a" * 200, "/" + "a" * 199, False),
    ],
)  # fmt: skip
def test_a_rule_of_robots_txt_fits(pattern: str, path: str, fit: bool) -> None:
    assert robots.fits(pattern, path) is fit


def test_the_longest_rule_decides_and_groups_of_one_name_are_one() -> None:
    text = """\ufeff# ours
User-Agent: other
User-Agent: Escalade   # us
Disallow: /a
Allow: /a/b
Allow: /same
Disallow: /same
Crawl-Delay: nonsense

User-agent: *
Disallow: /

User-agent: escalade
Disallow: /c
Crawl-delay: 2.5
Sitemap: https://x.example/s.xml
nonsense
"""
    read = robots.read(text, "escalade")
    allowed = {path for path in ("/", "/a", "/a/b/c", "/same", "/c") if read.allows(f"https://x.example{path}")}
    assert allowed == {"/", "/a/b/c", "/same"}
    assert (read.delay_s, read.sitemaps) == (2.5, ("https://x.example/s.xml",))
    assert not robots.read(text, "stranger").allows("https://x.example/")
    assert robots.read("User-agent: *\nDisallow:", "escalade").allows("https://x.example/")


def test_many_names_above_many_rules_take_no_long_time() -> None:
    names = "".join(f"User-agent: a{n}\n" for n in range(15_000)) + "User-agent: escalade\n"
    read = robots.read(names + "Disallow: /x\n" * 15_000, "escalade")
    assert len(read.rules) == robots.MOST_RULES


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("HTTPS://Shop.Example:443", "https://shop.example/"),
        ("https://shop.example/a b/ü?q=ä&utm_medium=x#y", "https://shop.example/a%20b/%C3%BC?q=%C3%A4"),
        ("http://shop.example:8080/x", "http://shop.example:8080/x"),
        ("https://user:pw@shop.example/", None),
        ("ftp://shop.example/", None),
        ("https://shop.example:port/", None),
        (f"https://shop.example/{'x' * 2000}", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(written: str, read: str | None) -> None:
    assert spelt(written) == read


def test_a_site_is_one_host_with_and_without_www() -> None:
    scope = Scope.of("https://www.shop.example/help")
    assert scope.inside("http://shop.example/help/a") == "https://www.shop.example/help/a"
    for other in (
        "https://shop.example.evil.example/help",
        "https://evil.example/help",
        "https://x.shop.example/help",
        "https://shop.example:8443/help",
        "https://shop.example/helpx",
        "http://shop.example:81/help",
    ):
        assert scope.inside(other) is None, other


def test_no_sitemap_is_unpacked_without_end_and_none_expands_entities() -> None:
    assert sitemap.read(b"<html></html>") is None
    assert sitemap.read(b"\x1f\x8bnonsense") is None
    bomb = gzip.compress(b"<urlset>" + b" " * (sitemap.LARGEST + 1))
    assert sitemap.read(bomb) is None
    found = sitemap.read(b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><loc>https://x.example/&a;</loc><loc></urlset>')
    assert found is not None
    assert found.addresses == ("https://x.example/&a;",)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("über".encode(), "text/html", "über"),
        ("über".encode("latin-1"), "text/html; charset=ISO-8859-1", "über"),
        (b'<meta charset="koi8-r">' + "да".encode("koi8-r"), "text/html", '<meta charset="koi8-r">да'),
        ("“x”".encode("cp1252"), "text/html", "“x”"),
        ("\ufeffx".encode("utf-16"), "text/html; charset=utf-8", "\ufeffx"),
        (b"abc-", "text/html; charset=punycode", "abc-"),
        (b"abc", "text/html; charset=no-such", "abc"),
    ],
)
def test_a_page_is_decoded_as_it_says(body: bytes, kind: str, text: str) -> None:
    assert text_of(body, kind) == text
