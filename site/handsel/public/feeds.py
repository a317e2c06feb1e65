"""What machines read: feed, sitemap, robots.txt and the icon."""

from __future__ import annotations

from datetime import datetime

from flask import Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from handsel.content.theme import palette
from handsel.public import bp, sheets
from handsel.public.head import instant
from handsel.public.pages import table

ENTRIES = 30  # posts in the feed
PRIVATE = ("/desk/", "/api/", "/get/", "/u/", "/confirm/", "/event/", "/go/", "/preferences/",
           "/offers/*/thanks/")


@bp.get("/feed.xml")
def feed() -> Response:
    """The newest posts as Atom."""
    state = table().state()
    posts = sheets.posts(state.project, state.press.at)[:ENTRIES]
    rows = [
        {
            "page": post,
            "author": state.project.site.authors.get(post.meta.author or ""),
            "published": instant(sheets.published(post)),
            "updated": instant(_changed(post)),
        }
        for post in posts
    ]
    updated = max((_changed(post) for post in posts), default=sheets.EARLIEST)
    text = render_template(
        "public/feed.xml", site=state.project.site, base=state.press.base, entries=rows, updated=instant(updated)
    )
    return _plain(text, "application/atom+xml")


def _changed(page: object) -> datetime:
    meta = getattr(page, "meta", None)
    return (meta.updated if meta else None) or sheets.published(page)  # type: ignore[arg-type]


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """Every page that may be found, with the day it last changed."""
    state = table().state()
    rows = []
    for path in sheets.addresses(state.project, state.press.at):
        sheet = sheets.find(state.project, path, state.press.at)
        page = sheet.page if sheet else None
        if page and (page.meta.noindex or "noindex" in (page.meta.robots or "") or page.meta.canonical):
            continue
        changed = (page.meta.updated or page.meta.date) if page and sheet and sheet.layout != "archive" else None
        rows.append((state.press.base + path, changed.date().isoformat() if changed else ""))
    return _plain(render_template("public/sitemap.xml", rows=rows), "application/xml")


@bp.get("/robots.txt")
def robots() -> Response:
    """What is not for robots, and where the sitemap is."""
    state = table().state()
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        "",
        f"Sitemap: {state.press.base}/sitemap.xml",
        "",
    ]
    return _plain("\n".join(lines), "text/plain")


@bp.get("/favicon.svg")
def icon() -> Response:
    """The drawn sign in the brand colour; a ``content/favicon.svg`` comes before it."""
    state = table().state()
    ramp = palette(state.project.site.theme)
    text = render_template("public/favicon.svg", brand=ramp.light["brand"], on=ramp.light["on-brand"])
    return _plain(text, "image/svg+xml")


@bp.get("/favicon.ico")
def old_icon() -> Answer:
    """Where browsers look that read no HTML."""
    return redirect(table().state().project.site.theme.favicon or "/favicon.svg", 302)


def _plain(text: str, kind: str) -> Response:
    g.style_hashes = set()
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
