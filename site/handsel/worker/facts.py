"""What the database knows about a batch of claimed messages, and the last look before a letter goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from flask import Flask
from sqlalchemy import Table, bindparam, select
from sqlalchemy.engine import Connection

from handsel.accounts.models import Account
from handsel.leads.models import Capture, Consent, Grant, Lead, LeadTag
from handsel.leads.segments.sql import where
from handsel.mail import suppress
from handsel.mail.models import Message
from handsel.mail.queue import Claimed
from handsel.offers.project import Project

_lead, _consent, _tag, _capture, _grant, _account, _message = (
    cast(Table, model.__table__) for model in (Lead, Consent, LeadTag, Capture, Grant, Account, Message))
Row = Mapping[str, Any]


def _among(column: Any, name: str = "ids") -> Any:
    return column.in_(bindparam(name, expanding=True))


# Built once: a letter asks them all directly before its text goes out.
_LEADS = select(_lead).where(_among(_lead.c.id))
_ACCOUNTS = select(_account).where(_among(_account.c.id))
_GRANTS = select(_grant.c.id, _grant.c.key).where(_among(_grant.c.id))
_CAPTURES = select(_capture.c.id, _capture.c.at).where(_among(_capture.c.id))
_CONSENTS = (select(_consent.c.lead_id, _consent.c.purpose, _consent.c.state).where(_among(_consent.c.lead_id))
             .order_by(_consent.c.id))
_TAGS = select(_tag.c.lead_id, _tag.c.tag).where(_among(_tag.c.lead_id))
_UNFINISHED = (
    select(_message.c.capture_id, _message.c.offer, _message.c.step, _message.c.state, _message.c.due_at)
    .where(_among(_message.c.capture_id), _message.c.state.in_(("queued", "claimed")),
           _message.c.kind.in_(("letter", "delivery"))).order_by(_message.c.step))


@dataclass
class Facts:
    """Rows by their numbers: what letters are judged and filled by."""

    leads: dict[int, Row] = field(default_factory=dict)
    accounts: dict[int, Row] = field(default_factory=dict)
    grants: dict[int, str] = field(default_factory=dict)
    captured_at: dict[int, datetime] = field(default_factory=dict)
    consents: dict[tuple[int, str], str] = field(default_factory=dict)
    """By lead and topic: ``confirmed``, ``given`` (the mailbox is not proven) or ``withdrawn``."""
    tags: dict[int, set[str]] = field(default_factory=dict)
    segments: dict[int, set[str]] = field(default_factory=dict)
    """By lead: those of the segments that the letters name which the person is in."""
    blocks: dict[str, list[suppress.Block]] = field(default_factory=dict)
    earlier: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    """By message: the state and due time of an earlier step of the same series that has not come to its end."""

    def address(self, message: Claimed) -> str:
        """The address that ``message`` goes to; empty when there is nobody any more."""
        if message.account_id is not None:
            account = self.accounts.get(message.account_id)
            return str(account["email"]) if account and account["active"] else ""
        lead = self.leads.get(message.lead_id or 0)
        return str(lead["address"]) if lead else str(message.values.get("to", ""))


def gather(connection: Connection, app: Flask, messages: Iterable[Claimed], at: datetime) -> Facts:
    """The facts about ``messages`` as they stand in this transaction."""
    messages = list(messages)
    facts = Facts()
    leads = {message.lead_id for message in messages if message.lead_id is not None}
    if leads:
        for row in connection.execute(_LEADS, {"ids": leads}):
            facts.leads[row.id] = dict(row._mapping)
    accounts = {message.account_id for message in messages if message.account_id is not None}
    if accounts:
        for row in connection.execute(_ACCOUNTS, {"ids": accounts}):
            facts.accounts[row.id] = dict(row._mapping)
    grants = {message.grant_id for message in messages if message.grant_id is not None}
    if grants:
        for id_, key in connection.execute(_GRANTS, {"ids": grants}):
            facts.grants[id_] = key
    captures = {message.capture_id for message in messages
                if message.capture_id is not None and message.kind != "letter"}
    if captures:
        for id_, when in connection.execute(_CAPTURES, {"ids": captures}):
            facts.captured_at[id_] = when
    letters = [message for message in messages if message.kind == "letter"]
    _letters(connection, facts, letters)
    _segments(connection, facts, letters, app.extensions["handsel.offers"].project, at)
    hashes = {suppress.address_hash(address, app) for message in messages if (address := facts.address(message))}
    if hashes:
        facts.blocks = suppress.blocks(connection, hashes, at)
    return facts


def _letters(connection: Connection, facts: Facts, letters: list[Claimed]) -> None:
    """What only letters are judged by: consents, tags, and the order of their series."""
    if not letters:
        return
    leads = {letter.lead_id for letter in letters}
    for lead_id, topic, state in connection.execute(_CONSENTS, {"ids": leads}):
        before = facts.consents.get((lead_id, topic))
        if not (state == "given" and before == "confirmed"):  # ticked once more: it stays proven
            facts.consents[lead_id, topic] = state
    for lead_id, tag in connection.execute(_TAGS, {"ids": leads}):
        facts.tags.setdefault(lead_id, set()).add(tag)
    captures = {letter.capture_id for letter in letters if letter.capture_id is not None}
    if not captures:
        return
    unfinished = connection.execute(_UNFINISHED, {"ids": captures}).all()
    for letter in letters:
        for other in unfinished:
            if (other.capture_id, other.offer) == (letter.capture_id, letter.offer) and other.step < letter.step:
                facts.earlier[letter.id] = (other.state, other.due_at)
                break


def _segments(connection: Connection, facts: Facts, letters: list[Claimed], project: Project, at: datetime) -> None:
    """The segments that decide over these letters. A merged mailbox is in those of the lead it belongs to."""
    named: dict[str, set[int]] = {}
    for message in letters:
        offer = project.offer(message.offer)
        letter = offer.letter(message.step) if offer else None
        for name in letter.meta.segments if letter else ():
            named.setdefault(name, set()).add(message.lead_id or 0)
    for name, ids in named.items():
        segment = project.rules.segments.by_name.get(name)
        heads = {id_: facts.leads[id_]["merged_into_id"] or id_ for id_ in ids if id_ in facts.leads}
        if segment is None or not heads:
            continue
        found = set(connection.scalars(select(Lead.id).where(
            Lead.id.in_(set(heads.values())), where(segment.condition, at, probing=True))))
        for id_, head in heads.items():
            if head in found:
                facts.segments.setdefault(id_, set()).add(name)
