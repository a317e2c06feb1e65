"""People at a browser: with a mouse, or with nothing but a keyboard."""

from __future__ import annotations

from playwright.sync_api import Download, Locator, Page, Response, expect

MOST_TABS = 60
expect.set_options(timeout=10_000)  # nothing here takes long; what is not there by then will not come


class Hands:
    """Somebody at a page, with a mouse or a finger."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def fill(self, label: str, text: str) -> None:
        """Type into the field with that label."""
        self.page.get_by_label(label, exact=True).first.fill(text)

    def tick(self, words: str) -> None:
        """Tick the box whose label has those words."""
        self.page.get_by_label(words).first.check()

    def press(self, words: str) -> None:
        """Press the button with those words."""
        self.page.get_by_role("button", name=words).first.click()

    def open(self, words: str) -> None:
        """Follow the link with those words, or open what is folded under them."""
        self._link(words).click()

    def _link(self, words: str) -> Locator:
        return self.page.get_by_role("link", name=words).or_(
            self.page.locator("summary", has_text=words)).first

    def take(self, words: str) -> tuple[Download, Response]:
        """Press a button or link that gives a file; the file, and the answer that brought it."""
        answers: list[Response] = []

        def note(answer: Response) -> None:
            answers.append(answer)

        self.page.on("response", note)
        with self.page.expect_download() as coming:
            if self.page.get_by_role("button", name=words).count():
                self.press(words)
            else:
                self.open(words)
        self.page.remove_listener("response", note)
        return coming.value, answers[-1]

    def sees(self, words: str) -> None:
        """Wait until those words can be seen."""
        expect(self.page.get_by_text(words).filter(visible=True).first).to_be_visible()

    def sees_heading(self, words: str) -> None:
        """Wait until the page's heading has those words."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)


class Keyboard(Hands):
    """Somebody who has only Tab, Space, Enter and the letters. Every place they reach must be seen."""

    def fill(self, label: str, text: str) -> None:
        self._reach(self.page.get_by_label(label, exact=True).first)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)

    def tick(self, words: str) -> None:
        box = self.page.get_by_label(words).first
        self._reach(box)
        self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def press(self, words: str) -> None:
        self._reach(self.page.get_by_role("button", name=words).first)
        self.page.keyboard.press("Enter")

    def open(self, words: str) -> None:
        self._reach(self._link(words))
        self.page.keyboard.press("Enter")

    def _reach(self, target: Locator) -> None:
        expect(target).to_be_attached()
        passed = []
        for _ in range(MOST_TABS):
            if target.evaluate("place => place === document.activeElement"):
                self._is_seen(target)
                return
            self.page.keyboard.press("Tab")
            passed.append(self.page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
        raise AssertionError(f"Tab never comes to {target}; it goes through\n" + "\n".join(passed))

    def _is_seen(self, target: Locator) -> None:
        """Focus is drawn, on the screen, and under nothing else."""
        found = target.evaluate("""place => {
            const box = place.getBoundingClientRect(), style = getComputedStyle(place);
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
            return {ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                    inside: box.y >= 0 && box.y < innerHeight && box.x >= 0 && box.right <= innerWidth,
                    free: top !== null && (place.contains(top) || top.contains(place))};
        }""")
        assert found == {"ring": True, "inside": True, "free": True}, f"focus on {target}: {found}"
