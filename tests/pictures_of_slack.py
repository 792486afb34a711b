"""The key moments of the sandbox as pictures: plan, request, question, result, history, Home."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, ViewportSize

SIZE: ViewportSize = {"width": 1200, "height": 900}
TALL: ViewportSize = {"width": 1200, "height": 1020}
"""Holds a whole plan, from its worst finding to its buttons."""
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 60_000
"""Milliseconds until something that a worker does must be seen."""


def walk(browser: Browser, address: str, folder: Path) -> None:
    """From the first command to the last line of the history."""
    page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/sandbox/")
    page.locator("article").first.wait_for()

    def picture(name: str) -> None:
        page.wait_for_timeout(500)  # let what scrolls come to rest
        page.screenshot(path=folder / f"{name}.png")

    say(page, "/migrate plan")
    newest(page, "Request this run").wait_for()
    page.set_viewport_size(TALL)
    newest(page, "Request this run").evaluate("message => message.scrollIntoView()")
    picture("slack-plan")
    page.set_viewport_size(SIZE)
    newest(page, "Request this run").get_by_role("button", name="Request this run").click()
    page.fill("#modal textarea", "New totals, agreed with accounting")
    picture("slack-reason")
    page.click("#modal button[type=submit]")
    page.locator("#messages article", has_text="New totals").first.wait_for()
    page.keyboard.press("Escape")
    asked = page.locator("#messages article", has=page.locator("h3", has_text="Waiting"))
    asked.filter(has_text="Measured on a copy").wait_for()
    asked.evaluate("message => message.scrollIntoView()")
    picture("slack-request")
    for name in ("ada", "grace"):
        approve(page, name, picture if name == "ada" else None)
    done = page.locator("#messages article", has=page.locator("h3", has_text="Succeeded"))
    done.wait_for()
    done.evaluate("message => message.scrollIntoView()")
    picture("slack-result")
    say(page, "/migrate history")
    newest(page, "Only visible to you").wait_for()
    picture("slack-history")
    page.click("#direct button:has-text('Home')")
    page.locator("#messages.home").wait_for()
    picture("slack-home")
    page.set_viewport_size(PHONE)
    page.goto(f"{address}/sandbox/")
    page.wait_for_timeout(3000)
    picture("slack-phone")
    page.context.close()


def approve(page: Page, name: str, picture: object) -> None:
    """Approve as this person, if the request still waits for somebody."""
    page.click(f'#people [role="option"]:has-text("{name}")')
    page.wait_for_timeout(1500)
    button = page.get_by_role("button", name="Approve").last
    if not button.count():
        return
    button.click()
    if callable(picture):
        picture("slack-confirm")
    page.click("#confirm footer button:last-child")
    page.wait_for_timeout(4000)


def say(page: Page, text: str) -> None:
    page.fill("#say", text)
    page.press("#say", "Enter")


def newest(page: Page, words: str) -> Locator:
    """The newest message with these words."""
    return page.locator("#messages article", has_text=words).last
