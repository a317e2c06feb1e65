"""What stands at which address: pages, posts, archives, the manual, old names, and the head of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

Ask = Callable[..., tuple[str, dict[str, str], bytes]]


def write(project: Path, name: str, body: str = "Words.", **meta: Any) -> None:
    path = project / "content" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(
        f"{key}: {json.dumps(value) if isinstance(value, list) else value}" for key, value in meta.items()
    )
    path.write_text(f"---\n{lines}\n---\n{body}\n")


def refresh(app: Flask) -> None:
    project = app.extensions["handsel.offers"].refresh()
    assert [str(fault) for fault in project.faults] == []


def html(ask: Ask, app: Flask, path: str) -> str:
    status, _, body = ask(app, path)
    assert status == "200 OK", (path, status)
    return body.decode()


def meta(page: str) -> dict[str, str]:
    found = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page))
    found |= {"canonical": re.findall(r'<link rel="canonical" href="([^"]+)"', page)[0]}
    found |= {"title": re.findall(r"<title>(.*?)</title>", page)[0]}
    return found


def graph(page: str) -> list[dict[str, Any]]:
    found = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)[0])
    assert found["@context"] == "https://schema.org"
    nodes: list[dict[str, Any]] = found["@graph"]
    return nodes


def test_a_page_tells_machines_all_about_itself(small: Flask, project: Path, ask: Ask) -> None:
    write(
        project,
        "blog/tea",
        "First words of it.",
        title="Tea & biscuits",
        date="2026-01-05",
        updated="2026-01-06",
        author="ada",
        tags=["tea", "home"],
        description="What to drink with a book.",
        image="/images/ticket.png",
        image_alt="A ticket",
    )
    refresh(small)

    page = html(ask, small, "/blog/tea/")

    assert re.search(r'<html lang="en" dir="ltr">', page)
    found = meta(page)
    picture = found.pop("og:image")
    assert re.fullmatch(r"http://localhost/images/ticket\.[0-9a-f]{10}\.png", picture)
    assert {name: found[name] for name in found if not name.startswith(("theme", "viewport"))} == {
        "title": "Tea &amp; biscuits · Little Press",
        "description": "What to drink with a book.",
        "canonical": "http://localhost/blog/tea/",
        "robots": "index,follow,max-image-preview:large",
        "og:type": "article",
        "og:title": "Tea &amp; biscuits",
        "og:description": "What to drink with a book.",
        "og:url": "http://localhost/blog/tea/",
        "og:site_name": "Little Press",
        "og:locale": "en",
        "og:image:width": found["og:image:width"],
        "og:image:height": found["og:image:height"],
        "og:image:alt": "A ticket",
        "article:published_time": "2026-01-05T00:00:00+00:00",
        "article:modified_time": "2026-01-06T00:00:00+00:00",
        "article:tag": "home",
        "author": "Ada Quill",
        "twitter:card": "summary_large_image",
    }
    assert page.count('<meta name="theme-color"') == 2
    assert '<link rel="alternate" type="application/atom+xml" title="Little Press" href="/feed.xml">' in page
    kinds = {node["@type"]: node for node in graph(page)}
    assert set(kinds) == {"Organization", "WebSite", "BlogPosting", "BreadcrumbList"}
    assert kinds["BlogPosting"]["author"]["name"] == "Ada Quill"
    assert kinds["BlogPosting"]["datePublished"] == "2026-01-05T00:00:00+00:00"
    assert [item["item"] for item in kinds["BreadcrumbList"]["itemListElement"]] == [
        "http://localhost/",
        "http://localhost/blog/",
        "http://localhost/blog/tea/",
    ]


def test_nothing_in_front_matter_breaks_out_of_the_head(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "odd", title="'</title><script>alert(1)</script>'", description="'\"><script>alert(2)</script>'")
    refresh(small)

    page = html(ask, small, "/odd/")

    assert "<script>alert" not in page
    assert any(node.get("name") == "</title><script>alert(1)</script>" for node in graph(page))


def test_a_landing_page_has_a_logo_and_the_legal_footer_and_no_menu(small: Flask, ask: Ask) -> None:
    page = html(ask, small, "/offers/guide/")

    assert '<nav aria-label="Main">' not in page
    assert re.findall(r'<a href="([^"]+)">Privacy</a>', page) == ["/privacy/"]
    assert page.count("<h1") == 1
    assert meta(page)["canonical"] == "http://localhost/offers/guide/"


def test_a_page_of_the_site_has_the_menu_and_says_where_one_is(small: Flask, ask: Ask) -> None:
    page = html(ask, small, "/blog/")

    assert '<a href="/blog/" aria-current="page">Blog</a>' in page
    assert '<a href="/blog/" aria-current="true">Blog</a>' in html(ask, small, "/blog/first-post/")


def test_posts_are_listed_newest_first_ten_to_a_page_and_by_tag(small: Flask, project: Path, ask: Ask) -> None:
    for day in range(1, 13):
        write(
            project,
            f"blog/post-{day:02}",
            title=f"Post {day}",
            date=f"2026-01-{day:02}",
            tags=["even" if day % 2 == 0 else "odd"],
        )
    refresh(small)

    def posts(path: str) -> list[str]:
        return re.findall(r'<h2><a href="/blog/(post-\d\d)/">', html(ask, small, path))

    assert posts("/blog/page/2/")[-2:] == ["post-02", "post-01"]
    assert posts("/blog/tags/odd/") == [f"post-{day:02}" for day in (11, 9, 7, 5, 3, 1)]
    assert "Posts about odd" in html(ask, small, "/blog/tags/odd/")
    assert meta(html(ask, small, "/blog/page/2/"))["title"] == "Posts, page 2 · Little Press"
    for gone in ("/blog/page/1/", "/blog/page/3/", "/blog/tags/none/", "/blog/page/0/", "/blog/page/02/"):
        assert ask(small, gone)[0] == "404 NOT FOUND", gone


def test_what_is_not_public_yet_or_any_more_is_not_there(small: Flask, project: Path, ask: Ask, clock: Any) -> None:
    write(project, "draft", title="A", draft="true")
    write(project, "blog/soon", title="B", publish_at="2026-04-01")
    write(project, "past", title="C", unpublish_at="2026-02-01")
    refresh(small)

    for path in ("/draft/", "/blog/soon/", "/past/"):
        assert ask(small, path)[0] == "404 NOT FOUND"
    for listing in ("/blog/", "/feed.xml", "/sitemap.xml"):
        assert b"soon" not in ask(small, listing)[2]
        assert b"draft" not in ask(small, listing)[2]


def test_old_names_and_missing_slashes_lead_to_the_page_and_keep_what_campaigns_added(
    small: Flask, project: Path, ask: Ask
) -> None:
    write(project, "new-name", title="A", aliases=["/old-name/", "/older/name"])
    refresh(small)

    for path, target in (
        ("/old-name/", "/new-name/"),
        ("/old-name", "/new-name/"),
        ("/older/name", "/new-name/"),
        ("/new-name", "/new-name/"),
        ("/offers/guide", "/offers/guide/"),
        ("/blog", "/blog/"),
    ):
        status, headers, _ = ask(small, path, QUERY_STRING="utm_source=a")
        assert (status[:3], headers["Location"]) == ("301", f"{target}?utm_source=a"), path
    for path in ("/no-such-page", "//evil.example/", "/\\evil.example"):
        status, headers, _ = ask(small, path)
        assert status[:3] in {"404", "308"}, path
        assert "//evil" not in headers.get("Location", "").removeprefix("http://")


def test_the_manual_is_read_in_order_of_weight(site: Flask, ask: Ask) -> None:
    page = html(ask, site, "/guide/")

    chapters = re.findall(r'<li><a href="(/guide/[^"]*)"', page.split('id="chapters"')[1])
    assert chapters[0] == "/guide/"
    assert len(chapters) == len(set(chapters)) >= 7
    for path, following in pairwise(chapters):
        assert f'<a rel="next" href="{following}">' in html(ask, site, path)


def test_a_post_ends_in_its_offer(site: Flask, ask: Ask) -> None:
    page = html(ask, site, "/blog/draughts-first/")

    end = page.split('<section class="band offer"')[1]
    assert '<a class="button" href="/offers/home-energy-guide/">' in end
    assert 'role="img" aria-label="Cover: ' in end


def test_a_call_to_action_leads_to_the_form_on_its_page_or_to_the_landing_page(small: Flask, ask: Ask) -> None:
    table = small.extensions["handsel.pages"]
    landing = table.entry(*table.sheet("/offers/guide/")).pages["a"].start.decode()

    assert '<a class="button" href="#get">Get the guide</a>' in landing
    assert '<a class="button" href="/offers/guide/">Get the guide</a>' in html(ask, small, "/")


def test_a_landing_page_without_a_form_block_still_has_its_form(small: Flask, project: Path, ask: Ask) -> None:
    path = project / "offers" / "demo" / "landing.md"
    path.write_text("---\ntitle: A demo\n---\n/// hero\n    form: false\n\n# A demo\n\nOf a book.\n///\n")
    small.extensions["handsel.offers"].refresh()

    assert '<form class="card" id="get" method="post" action="/offers/demo/"' in html(ask, small, "/offers/demo/")


def test_a_closed_offer_says_so_in_place_of_its_form(small: Flask, project: Path, ask: Ask, clock: Any) -> None:
    path = project / "offers" / "guide" / "offer.md"
    path.write_text(path.read_text().replace("---\n", "---\ncloses_at: 2026-03-02 13:00\n", 1))
    small.extensions["handsel.offers"].refresh()

    assert "<form" in html(ask, small, "/offers/guide/")
    clock.move(hours=2)
    page = html(ask, small, "/offers/guide/")
    assert "<form" not in page
    assert "This offer is closed." in page


def test_a_page_in_another_language_and_direction_says_so(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "salaam", "مرحبا", title="مرحبا", lang="ar", dir="rtl")
    refresh(small)

    assert '<html lang="ar" dir="rtl">' in html(ask, small, "/salaam/")


def test_the_feed_is_sound_atom_with_the_newest_posts(site: Flask, ask: Ask) -> None:
    _, headers, body = ask(site, "/feed.xml")
    feed = ET.fromstring(body)
    atom = {"a": "http://www.w3.org/2005/Atom"}

    assert headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    dates = [found.text or "" for found in feed.findall("a:entry/a:published", atom)]
    assert len(dates) >= 4
    assert dates == sorted(dates, reverse=True)
    assert all(
        (found.get("href") or "").startswith("http://localhost/blog/") for found in feed.findall("a:entry/a:link", atom)
    )
    assert feed.findtext("a:updated", namespaces=atom) == max(
        found.text or "" for found in feed.findall("a:entry/a:updated", atom)
    )


def test_the_sitemap_names_every_page_that_may_be_found(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "hidden", title="A", noindex="true")
    refresh(small)
    _, _, body = ask(small, "/sitemap.xml")
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"

    found = [node.findtext(f"{space}loc") or "" for node in ET.fromstring(body)]

    assert "http://localhost/hidden/" not in found
    for address in found:
        assert ask(small, address.removeprefix("http://localhost"))[0] == "200 OK"
    assert {"http://localhost/", "http://localhost/blog/first-post/", "http://localhost/offers/guide/"} <= set(found)


def test_robots_are_told_what_is_private_and_where_the_sitemap_is(small: Flask, ask: Ask) -> None:
    _, _, body = ask(small, "/robots.txt")

    assert b"Disallow: /desk/\n" in body
    assert b"Disallow: /get/\n" in body
    assert body.endswith(b"Sitemap: http://localhost/sitemap.xml\n")


@pytest.mark.parametrize("path", ["/favicon.svg", "/favicon.ico"])
def test_there_is_an_icon_in_the_brand_colour(small: Flask, ask: Ask, path: str) -> None:
    status, headers, body = ask(small, path)
    if path.endswith("ico"):
        assert (status[:3], headers["Location"]) == ("302", "/favicon.svg")
    else:
        assert headers["Content-Type"].startswith("image/svg+xml")
        assert b'fill="#046246"' in body


def test_translations_name_each_other_and_the_page_for_everybody_else(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "book", title="A book", translation_key="book")
    write(project, "livre", title="Un livre", translation_key="book", lang="fr")
    write(project, "kitab", title="كتاب", translation_key="book", lang="ar", dir="rtl")
    write(project, "draft", title="Ein Buch", translation_key="book", lang="de", draft="true")
    refresh(small)

    expected = [("fr", "/livre/"), ("ar", "/kitab/"), ("en", "/book/"), ("x-default", "/book/")]
    for path in ("/book/", "/livre/", "/kitab/"):
        page = html(ask, small, path)
        found = re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="http://localhost([^"]+)">', page)
        assert sorted(found) == sorted(expected), path
    assert '<html lang="ar" dir="rtl">' in html(ask, small, "/kitab/")
    assert "hreflang" not in html(ask, small, "/privacy/")


def test_a_page_without_a_translation_names_none(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "book", title="A book", translation_key="book")
    refresh(small)

    assert "hreflang" not in html(ask, small, "/book/")


def test_all_subjects_stand_on_one_page(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "blog/one", title="One", tags=["paper", "ink"])
    write(project, "blog/two", title="Two", tags=["paper"])
    write(project, "blog/three", title="Three", tags=["secret"], draft="true")
    refresh(small)

    page = html(ask, small, "/blog/tags/")

    found = dict(re.findall(r'<a href="/blog/tags/([^"/]+)/">\w+ <small>(\d+)</small>', page))
    assert found | {"paper": "2", "ink": "1"} == found
    assert "secret" not in found
    assert meta(page)["canonical"] == "http://localhost/blog/tags/"
    assert "/blog/tags/" in ask(small, "/sitemap.xml")[2].decode()
    assert 'href="/blog/tags/"' in html(ask, small, "/blog/tags/paper/")


def test_without_a_tag_there_is_no_page_of_subjects(small: Flask, project: Path, ask: Ask) -> None:
    for post in (project / "content" / "blog").glob("*.md"):
        post.write_text(re.sub(r"^tags: .*\n", "", post.read_text(), flags=re.M))
    refresh(small)

    assert ask(small, "/blog/tags/")[0] == "404 NOT FOUND"


def test_a_word_such_as_e_mail_is_not_broken_behind_its_letter(small: Flask, project: Path, ask: Ask) -> None:
    write(project, "words", "An e-mail to x-y@example.org, a [T-shirt](/privacy/) and `e-mail` in well-known code.",
          title="Words")
    refresh(small)

    page = html(ask, small, "/words/")

    assert '<span class="whole">e-mail</span> to ' in page
    assert '<a href="/privacy/"><span class="whole">T-shirt</span></a>' in page
    assert "<code>e-mail</code>" in page
    assert page.count('class="whole"') == 2
    assert re.search(r"\.whole\{white-space:nowrap\}", page)
