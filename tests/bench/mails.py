"""Mail handed over, against Debian's smtp-source on the same sink."""

from __future__ import annotations

import mail
from frame import SAMPLE, need, say


def run() -> None:
    need("smtp-source", "postfix")
    handed = mail.handed_over(SAMPLE)
    say("mail handed over on one line, built included", f"{handed.line:,.0f}/s",
        f"smtp-source, 1 session {handed.smtp_source:,.0f}/s", handed.ratio, ">= .75 of it", handed.ratio >= 0.75)
    say("  letters through the whole queue", f"{handed.queue_letters:,.0f}/s", "",
        handed.queue_letters / handed.smtp_source, "")
    say("  deliveries through the whole queue", f"{handed.queue_deliveries:,.0f}/s", "",
        handed.queue_deliveries / handed.smtp_source, "")
