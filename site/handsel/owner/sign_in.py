"""Coming in and going out: password, sign-in link, and choosing a password."""

from __future__ import annotations

import secrets
from typing import Any

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Length

from handsel import clock, limits
from handsel.accounts import audit, links, passwords, roster, sessions
from handsel.accounts.models import ROLES, Account
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, door, open_to_all, person
from handsel.errors import HandselError

bp = DeskBlueprint("sign_in", __name__, roles=ROLES)

WRONG = "The address and the password do not go together. Check both for typing slips."
SLOW_DOWN = "Too many tries. Wait a quarter of an hour, or ask an owner for a sign-in link."


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = EmailField("E-mail address", [DataRequired("Type your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [DataRequired("Type your password.")])
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]
    old = PasswordField("Present password")
    new = PasswordField("New password", [DataRequired("Choose a password.")])


class WelcomeForm(PasswordForm):
    email = EmailField("Your e-mail address", [DataRequired("Type your e-mail address."), Length(max=254)])
    name = StringField("Your name", [Length(max=120, message="Use 120 characters at most.")])


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password."""
    form = SignInForm(next=request.args.get("next", ""))
    if not form.validate_on_submit():
        return render_template("desk/sign-in.html", form=form), 422 if form.errors else 200
    email = form.email.data.strip().lower()
    if not _may_try(email):
        form.form_errors.append(SLOW_DOWN)
        return render_template("desk/sign-in.html", form=form), 429
    account = roster.sign_in(db.session(), email, form.password.data)
    if account is None:
        with writing() as write:
            audit.record(write, "was refused at the sign-in", _typed(email), "sign-in", {"from": door.neighbourhood()})
        form.form_errors.append(WRONG)
        return render_template("desk/sign-in.html", form=form), 422
    if account.password_hash and passwords.stale(account.password_hash):
        fresh = passwords.hashed(form.password.data)
    else:
        fresh = None
    return _come_in(account.id, "signed in", form.next.data or "", fresh)


def _may_try(email: str) -> bool:
    """Ten tries a quarter of an hour for an account, counted apart for a browser it knows; sixty for a network."""
    known = door.known_browser(email)
    if known is not None:
        return limits.allow("10 per 15 minutes", "sign-in", "browser", known)
    here = limits.allow("60 per 15 minutes", "sign-in", "from", door.neighbourhood())
    return limits.allow("10 per 15 minutes", "sign-in", "account", email) and here


def _typed(email: str) -> str:
    """What was typed as an address, unless it may be a password in the wrong field."""
    try:
        return roster.normalised(email)
    except HandselError:
        return "(no address)"


def _come_in(account_id: int, action: str, wanted: str, fresh: str | None = None) -> ResponseReturnValue:
    browser = request.user_agent.string
    with writing() as write:
        account = write.get_one(Account, account_id)
        if fresh:
            account.password_hash = fresh
        secret = sessions.begin(write, account, browser, clock.now())
        email = account.email
        audit.record(write, action, audit.Actor(email, account_id), f"account:{account_id}",
                     {"from": door.neighbourhood()})
    door.let_in(account_id, secret)
    response = current_app.make_response(redirect(door.safe_next(wanted), 303))
    door.remember_browser(response, email, door.known_browser(email) or secrets.token_urlsafe(12))
    return response


@bp.post("/sign-out")
@open_to_all
def sign_out() -> ResponseReturnValue:
    """End this browser's session here and in the database."""
    secret = session.get("_user_id")
    session.clear()
    if isinstance(secret, str):
        with writing() as write:
            sessions.end(write, secret, clock.now())
    return redirect(url_for("sign_in.sign_in"), 303)


@bp.get("/enter/<secret>")
@open_to_all
def link(secret: str) -> ResponseReturnValue:
    """The page of a sign-in link: a button, since programs that check mail follow links but press nothing."""
    account = links.peek(db.session(), secret, clock.now())
    return render_template("desk/enter.html", account=account, secret=secret), 200 if account else 410


@bp.post("/enter/<secret>")
@open_to_all
def enter(secret: str) -> ResponseReturnValue:
    """Use a sign-in link up."""
    if not limits.allow("60 per 15 minutes", "enter", door.neighbourhood()):
        return render_template("desk/enter.html", account=None, secret=secret), 429
    with writing() as write:
        account = links.consume(write, secret, clock.now())
        account_id = account.id if account else None
        new = account is not None and account.password_hash is None
    if account_id is None:
        return render_template("desk/enter.html", account=None, secret=secret), 410
    return _come_in(account_id, "signed in by link", url_for("sign_in.password") if new else "")


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Choose a password: at the first sign-in, or another one later. All other browsers are signed out."""
    me = person()
    account = db.session.get_one(Account, me.account_id)
    placeholder = account.email == links.FIRST_OWNER
    form: Any = WelcomeForm(name=account.name) if placeholder else PasswordForm()
    problem = None
    if form.validate_on_submit():
        if me.has_password and not _is_mine(account, form.old.data):
            form.old.errors = ["That is not your present password."]
        else:
            problem = _change(form, me, placeholder)
            if problem is None:
                return redirect(url_for("home.home"), 303)
            field, text = problem
            getattr(form, field).errors = [text]
    page = render_template("desk/password.html", form=form, me=me, placeholder=placeholder, email=account.email)
    return page, 422 if form.errors else 200


def _is_mine(account: Account, old: str | None) -> bool:
    allowed = limits.allow("10 per 15 minutes", "password", str(account.id))
    return allowed and passwords.matches(account.password_hash, old or "")


def _change(form: Any, me: sessions.SignedIn, placeholder: bool) -> tuple[str, str] | None:
    """Set the password and start this browser's session anew; a field and what is wrong with it if that fails."""
    try:
        with writing() as write:
            account = write.get_one(Account, me.account_id)
            if placeholder:
                account.email = roster.renamed(write, account, form.email.data)
                account.name = (form.name.data or "").strip()
            roster.set_password(write, account, form.new.data, actor=audit.Actor(account.email, account.id))
            secret = sessions.begin(write, account, request.user_agent.string, clock.now())
    except HandselError as error:
        return ("email" if error.where == "e-mail" else "new"), f"{error.what} {error.do}".strip()
    door.let_in(me.account_id, secret)
    flash("Your password is set. Every other browser has been signed out.", "good")
    return None
