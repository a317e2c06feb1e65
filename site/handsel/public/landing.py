"""A landing page that answers a form: the same page with the form as it came back and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response

from handsel.public.pages import again, table
from handsel.public.press import Bound, Drawn
from handsel.public.sheets import Sheet

if TYPE_CHECKING:
    from handsel.offers.library import Offer


def drawn(offer: Offer, variant: str) -> Drawn:
    """The landing page of ``offer`` in ``variant`` as visitors would get it, for a look at it from the desk.

    Its forms have no token, so nothing can be sent with them, and it is no view.
    """
    state = table().state()
    return state.press.draw(Sheet(offer.path, "landing", offer.control, offer), variant, lambda _: "")


def answer(
    offer: Offer,
    variant: str = "",
    *,
    form: Any,
    form_name: str = "",
    token: str = "",
    errors: dict[str, list[str]] | None = None,
    status: int = 422,
) -> Response:
    """The landing page of ``offer`` in ``variant`` with ``form`` (a bound WTForms form) in it, and its mistakes told.

    ``errors`` are those of the form unless given; the key "" holds words about the form as a whole. ``token`` is the
    one that came with the form, so that the next try is still the same submission.
    """
    state = table().state()
    variant = variant if variant in offer.variants else "a"
    name = form_name or offer.form.name
    shown = {
        part.options.get("form") or offer.form.name
        for part in offer.variants[variant].body.parts
        if not isinstance(part, str) and part.kind == "form"
    }
    if shown and name not in shown:
        name = offer.form.name if offer.form.name in shown else sorted(shown)[0]
    sheet = Sheet(offer.path, "landing", offer.control, offer)
    return again(state, sheet, variant, Bound(name, form, errors), token=token, status=status)
