"""Pages: every Markdown file of ``content/`` and the landing pages of offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from handsel.content.schema import PageMeta

if TYPE_CHECKING:
    from handsel.content.markdown import Rendered


@dataclass(frozen=True)
class Page:
    """One page. ``path`` is its address such as ``/blog/x/``, ``file`` its path from the project's root.

    ``layout`` is the one that holds: the front matter's, or the folder's. ``changed_at`` is the file's time, in UTC.
    """

    path: str
    file: str
    meta: PageMeta
    layout: str
    body: Rendered
    changed_at: datetime

    @property
    def title(self) -> str:
        """The page's name."""
        return self.meta.title

    def is_live(self, at: datetime) -> bool:
        """Whether visitors may see the page at that instant."""
        return self.meta.is_live(at)
