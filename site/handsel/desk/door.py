"""The door of the desk: who is asking, may they, and does the request come from our own page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, Response, abort, current_app, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, NotFound

from handsel import clock
from handsel.accounts import sessions
from handsel.accounts.models import ROLES
from handsel.accounts.sessions import SignedIn
from handsel.db import db
from handsel.traffic.visitor import address_prefix

View = TypeVar("View", bound=Callable[..., Any])
PREFIX = "/desk"
EVERYBODY: frozenset[str] = frozenset({"everybody"})
SAFE = {"GET", "HEAD", "OPTIONS"}
LARGEST = 2**63 - 1
REFRESH_SECONDS = 300  # how exactly the eight idle hours are kept, against a cookie in every answer

csrf = CSRFProtect()


class _Login(LoginManager):  # type: ignore[misc]
    """Flask-Login without its cookie for being remembered, whose check would mark public answers as personal."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_app(app: Flask) -> None:
    """Set up the session cookie, Flask-Login and CSRF for the desk; public pages touch none of them."""
    secure = app.config["SITE_URL"].startswith("https:")
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # the desk's door checks; public forms carry their own token
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", int(sessions.IDLE.total_seconds()))
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)  # _from_here() looks at Origin
    app.config.update(SESSION_COOKIE_NAME="__Host-desk" if secure else "desk", SESSION_COOKIE_SECURE=secure,
                      SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_PATH="/",
                      SESSION_REFRESH_EACH_REQUEST=False, PERMANENT_SESSION_LIFETIME=sessions.LONGEST)
    app.session_interface = _Sessions()
    csrf.init_app(app)
    login = _Login()
    login.session_protection = None  # the secret is in the database; addresses change on phones
    login.init_app(app, add_context_processor=False)
    login.user_loader(_load)
    app.after_request(_personal)


class _Sessions(SecureCookieSessionInterface):
    """Cookies of the desk alone: elsewhere there is no session to read, and writing to one is an error."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a request to the desk; none for any other."""
        if request.path != PREFIX and not request.path.startswith(PREFIX + "/"):
            return None
        return super().open_session(app, request)


def person() -> SignedIn:
    """Who is at the desk; only for views behind the door."""
    return cast(SignedIn, current_user._get_current_object())


def _load(secret: str) -> SignedIn | None:
    now = clock.now()
    seen = session.get("seen")
    if not isinstance(seen, int) or now.timestamp() - seen > sessions.IDLE.total_seconds():
        return None
    found = sessions.find(db.session(), secret, now)
    if found is not None and now.timestamp() - seen > REFRESH_SECONDS:
        # Kept in the cookie, not in the database: reading a page writes nothing.
        session["seen"] = int(now.timestamp())
    return found


def let_in(account_id: int, secret: str) -> None:
    """Give this browser the session of ``secret``; whatever its cookie said before is thrown away."""
    session.clear()
    session.permanent = True
    session["seen"] = int(clock.now().timestamp())
    found = sessions.find(db.session(), secret, clock.now())
    assert found is not None
    assert found.account_id == account_id
    login_user(found)


# --- the blueprint ----------------------------------------------------------------------------------------------------


class DeskBlueprint(Blueprint):
    """Pages under /desk for people with one of ``roles``, closed to everybody else.

    Each POST must come from our own page with the token of ``csrf_input()``; answers are never stored. A view narrows
    the roles with ``@only("owner")`` below its route, or opens itself with ``@open_to_all``.
    """

    def __init__(self, name: str, import_name: str, roles: Iterable[str]) -> None:
        super().__init__(name, import_name, url_prefix=PREFIX)
        self.roles = frozenset(roles)
        unknown = self.roles - set(ROLES)
        if unknown or not self.roles:
            raise ValueError(f"blueprint {name}: say which of {', '.join(ROLES)} may enter, not {sorted(unknown)}")
        self.before_request(self._door)
        self.register_error_handler(HTTPException, _error_page)
        for gone in (NoResultFound, ObjectDeletedError, StaleDataError):
            self.register_error_handler(gone, _gone)

    def _door(self) -> ResponseReturnValue | None:
        allowed = roles_of(current_app, request.endpoint or "")
        if allowed != EVERYBODY:
            if not current_user.is_authenticated:
                return _to_sign_in()
            if current_user.role not in allowed:
                abort(403)
        _answerable()
        if request.method not in SAFE:
            _from_here()
            largest = getattr(current_app.view_functions.get(request.endpoint or ""), "desk_largest", None)
            if largest is not None:
                request.max_content_length = largest
            csrf.protect()
            if any("\0" in text for texts in request.form.listvalues() for text in texts):
                abort(400)
        return None


def only(*roles: str) -> Callable[[View], View]:
    """Let in fewer roles than the blueprint does; stands below the route."""
    if not roles or not set(roles) <= set(ROLES):
        raise ValueError(f"name some of {', '.join(ROLES)}")

    def mark(view: View) -> View:
        view.desk_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def takes_files(largest: int) -> Callable[[View], View]:
    """Let a view have a body of so many bytes, more than forms may have; stands below the route."""
    def mark(view: View) -> View:
        view.desk_largest = largest  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Let in everybody, signed in or not: for the sign-in itself."""
    view.desk_roles = EVERYBODY  # type: ignore[attr-defined]
    return view


def roles_of(app: Flask, endpoint: str) -> frozenset[str]:
    """Who may use a route: EVERYBODY, some roles, or nobody for what is no route of the desk."""
    name, _, _ = endpoint.rpartition(".")
    blueprint = app.blueprints.get(name)
    if not isinstance(blueprint, DeskBlueprint):
        return frozenset()
    roles: frozenset[str] = getattr(app.view_functions[endpoint], "desk_roles", blueprint.roles)
    return roles


def check_roles(app: Flask) -> None:
    """Raise RuntimeError if any address under /desk leads to a view without roles. Called when all is registered."""
    for rule in app.url_map.iter_rules():
        inside = rule.rule == PREFIX or rule.rule.startswith(PREFIX + "/")
        if inside and not roles_of(app, rule.endpoint):
            raise RuntimeError(f"{rule.rule} ({rule.endpoint}) has no role: register it on a DeskBlueprint")
        if not inside and roles_of(app, rule.endpoint):
            raise RuntimeError(f"{rule.rule} ({rule.endpoint}) is a page of the desk outside of {PREFIX}")


def csrf_input() -> Markup:
    """The hidden field that every form of the desk with ``method="post"`` holds."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


# --- helpers ----------------------------------------------------------------------------------------------------------


def safe_next(target: str) -> str:
    """``target`` if it is an address of the desk, else the desk's home: nobody is sent elsewhere."""
    home = url_for("home.home")
    plain = target.isascii() and target.isprintable() and "\\" not in target
    if not plain or not (target == PREFIX or target.startswith(PREFIX + "/")) or "//" in target.partition("?")[0]:
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc or "/.." in parts.path else target


def _to_sign_in() -> ResponseReturnValue:
    wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else ""
    if wanted in {"", PREFIX, PREFIX + "/"}:
        return redirect(url_for("sign_in.sign_in"), 303)
    return redirect(url_for("sign_in.sign_in", next=wanted), 303)


def _answerable() -> None:
    """Refuse an address that names what no database holds: texts with a NUL, and numbers of more than eight bytes."""
    named = (request.view_args or {}).values()
    if any("\0" in text for text in (*request.args.values(), *named) if isinstance(text, str)):
        abort(400)
    if any(number > LARGEST for number in named if isinstance(number, int)):
        abort(404)


def _from_here() -> None:
    """Refuse a request that another site's page sent, before anything of it is read."""
    origin = request.headers.get("Origin")
    ours = {request.host_url.rstrip("/"), current_app.config["SITE_URL"].rstrip("/")}
    if origin is not None and origin.rstrip("/") not in ours:
        raise CSRFError("The request came from another site.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CSRFError("The request came from another site.")


def _personal(response: Response) -> Response:
    """Keep answers of the desk out of every cache."""
    if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Cookie")
        response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def _error_page(error: HTTPException) -> ResponseReturnValue:
    from handsel.desk.shell import error_page

    if error.code is None or error.code < 400:
        return error
    return error_page(error)


def _gone(_error: Exception) -> ResponseReturnValue:
    """Somebody erased it while we were about to do something with it."""
    return _error_page(NotFound())


def neighbourhood() -> str:
    """The network that the request came from: enough to count tries by, too coarse to name a person."""
    return address_prefix(request.remote_addr or "")


# --- browsers we know -------------------------------------------------------------------------------------------------

KNOWN_DAYS = 400  # the longest that browsers keep a cookie


def _known_signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="desk-known-browser")


def known_browser(account_email: str) -> str | None:
    """The number of this browser if this account signed in from it before: its tries are counted apart.

    Strangers who guess at an address use up the tries of strangers; its owner still gets in.
    """
    try:
        email, number = _known_signer().loads(request.cookies.get(_known_name(), ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(number) if email == account_email.strip().lower() else None


def remember_browser(response: Response, account_email: str, number: str) -> None:
    """Let ``known_browser`` know this browser from now on; the cookie opens nothing."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(_known_name(), _known_signer().dumps([account_email, number]), max_age=KNOWN_DAYS * 86400,
                        secure=secure, httponly=True, samesite="Lax", path="/" if secure else PREFIX)


def _known_name() -> str:
    return "__Host-known" if current_app.config["SESSION_COOKIE_SECURE"] else "known"
