"""The mails of the program itself, as Markdown; ``content/_emails/<name>.md`` stands in for any of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OwnLetter:
    """One mail of ours: subject, first line in lists of mail, and text, all with merge fields."""

    subject: str
    preheader: str
    body: str


LETTERS = {
    "sign-in": OwnLetter(
        "Your sign-in link for {{ site_name }}",
        "It works once, and not for long.",
        """Hello {{ name | there }},

press the button to sign in at the desk of {{ site_name }}:

[Sign in]({{ link }}){.button}

The link works once. If you did not ask for it, you can ignore this mail: nobody gets in without it.
""",
    ),
    "confirm": OwnLetter(
        "Please confirm your address",
        "One press, and you will hear from us.",
        """Hello {{ first_name | there }},

somebody, most likely you, gave us this address to hear from {{ site_name }}. Please confirm that it is yours:

[Yes, this is my address]({{ confirm_url }}){.button}
""",
    ),
    "delivery": OwnLetter(
        "{{ asset_title }}",
        "One press of the button, and it is yours.",
        """Hello {{ first_name | there }},

here is what you asked for: {{ asset_title }}.

[Open the download page]({{ get_url }}){.button}

The link is yours alone and works for {{ link_days }} days.
""",
    ),
}
