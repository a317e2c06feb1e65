"""Accounts: who may enter, in which role; adding, disabling, sending a sign-in link."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import EmailField, RadioField, StringField
from wtforms.validators import DataRequired, Length

from handsel import clock
from handsel.accounts import audit, links, roster
from handsel.accounts.models import ROLES, Account
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person
from handsel.desk.shell import site_name
from handsel.errors import HandselError
from handsel.mail.models import Message

bp = DeskBlueprint("accounts", __name__, roles=("owner",))


class AccountForm(FlaskForm):  # type: ignore[misc]
    email = EmailField("E-mail address", [DataRequired("Type the address.")])
    name = StringField("Name", [Length(max=120, message="Use 120 characters at most.")])
    role = RadioField("Role", choices=list(ROLES), default="sales")


class RoleForm(FlaskForm):  # type: ignore[misc]
    role = RadioField("Role", choices=list(ROLES))


@bp.route("/accounts", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """Everybody who may enter, and a form for one more."""
    form = AccountForm()
    if form.validate_on_submit():
        try:
            with writing() as write:
                account = roster.add(write, form.email.data, form.role.data, form.name.data or "",
                                     actor=person().actor)
                _send_link(write, account)
                address = account.email
            flash(f"{address} has an account. A sign-in link is on its way.", "good")
            return redirect(url_for("accounts.index"), 303)
        except HandselError as error:
            form.email.errors = [f"{error.what} {error.do}".strip()]
    everybody = db.session.scalars(select(Account).order_by(Account.active.desc(), Account.email)).all()
    page = render_template("desk/accounts.html", form=form, accounts=everybody, words=roster.ROLE_WORDS,
                           now=clock.now())
    return page, 422 if form.errors else 200


@bp.get("/accounts/<int:account_id>")
def account(account_id: int) -> ResponseReturnValue:
    """One account: its role, and the acts on it."""
    found = db.get_or_404(Account, account_id)
    return render_template("desk/account.html", account=found, form=RoleForm(role=found.role), words=roster.ROLE_WORDS)


@bp.post("/accounts/<int:account_id>/role")
def role(account_id: int) -> ResponseReturnValue:
    """Give another role; the person signs in anew."""
    db.get_or_404(Account, account_id)
    form = RoleForm()
    if not form.validate():
        flash(f"Choose one of the roles: {', '.join(ROLES)}.", "bad")
        return redirect(url_for("accounts.account", account_id=account_id), 303)
    return _act(account_id, lambda write, found: roster.change_role(
        write, found, form.role.data, actor=person().actor), "The role is changed.")


@bp.post("/accounts/<int:account_id>/disabling")
def disable(account_id: int) -> ResponseReturnValue:
    """Shut an account out."""
    db.get_or_404(Account, account_id)
    return _act(account_id, lambda write, found: roster.disable(
        write, found, actor=person().actor), "The account is disabled and signed out.")


@bp.post("/accounts/<int:account_id>/enabling")
def enable(account_id: int) -> ResponseReturnValue:
    """Let a disabled account in again."""
    db.get_or_404(Account, account_id)
    return _act(account_id, lambda write, found: roster.enable(
        write, found, actor=person().actor), "The account may sign in again.")


@bp.post("/accounts/<int:account_id>/link")
def link(account_id: int) -> ResponseReturnValue:
    """Mail a sign-in link."""
    if not db.get_or_404(Account, account_id).active:
        flash("A disabled account gets no sign-in link. Enable it first.", "bad")
        return redirect(url_for("accounts.account", account_id=account_id), 303)
    return _act(account_id, _send_link, "A sign-in link is on its way. It works once, for a day.")


def _act(account_id: int, act: object, done: str) -> ResponseReturnValue:
    assert callable(act)
    try:
        with writing() as write:
            act(write, write.get_one(Account, account_id))
        flash(done, "good")
    except HandselError as error:
        flash(f"{error.what} {error.do}", "bad")
    return redirect(url_for("accounts.account", account_id=account_id), 303)


def _send_link(write: Session, account: Account) -> None:
    """Queue the mail with a fresh sign-in link, in the caller's transaction."""
    at = clock.now()
    secret, number = links.make(write, account.id, at, links.BY_MAIL)
    values = {"link": links.link_address(current_app, secret), "name": account.name, "site": site_name()}
    write.add(Message(key=links.new_key(), once=f"link:{number}", kind="account", account_id=account.id, priority=0,
                      due_at=at, first_due_at=at, give_up_at=at + links.BY_MAIL, created_at=at, values=values))
    audit.record(write, "sent a sign-in link", person().actor, f"account:{account.id}")
