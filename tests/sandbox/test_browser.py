"""The sandbox in a real browser, on the demo: web server, worker, database, all of them real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from slack_sdk import WebClient

from bot.sandbox import names
from bot.sandbox.settings import sandbox_settings
from tests import browsing, screenshots

SECRET = "only for tests"
PATIENCE = 30_000
"""Milliseconds until something that a worker does must be seen; machines can be busy."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Demo:
    address: str
    passwords: dict[str, str]
    held: browsing.Held

    def visit(self, **options: object) -> Page:
        """The sandbox in a window of its own, in which nothing may break or be blocked."""
        context: BrowserContext = self.held.browser.new_context(**options)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: pytest.fail(f"the page broke: {error}"))
        page.on("console", _listen)
        page.goto(f"{self.address}/sandbox/")
        expect(page.locator("article").first).to_be_visible()
        return page

    @property
    def slack(self) -> WebClient:
        port = int(self.address.rpartition(":")[2])
        values = sandbox_settings(SECRET, port=port)
        return WebClient(token=values["slack_bot_token"], base_url=values["slack_api_url"])


def _listen(message: object) -> None:
    text = str(getattr(message, "text", ""))
    assert "Content Security Policy" not in text, text


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if screenshots.chromium() is None:
        pytest.skip("chromium: there is none on this machine")
    expect.set_options(timeout=PATIENCE)
    folder: Path = tmp_path_factory.mktemp("demo")
    with (
        screenshots.demo(folder, SECRET_KEY=SECRET) as (address, passwords),
        browsing.held_browser() as held,
    ):
        yield Demo(address, passwords, held)


@pytest.fixture(autouse=True)
def _no_longer(demo: Demo) -> Iterator[None]:
    with demo.held.no_longer_than(browsing.LIMIT):
        yield


def say(page: Page, text: str) -> None:
    page.fill("#say", text)
    page.press("#say", "Enter")


def message(page: Page, words: str) -> Locator:
    """The newest message of the channel with these words."""
    return page.locator("#messages article", has_text=words).last


def become(page: Page, name: str) -> None:
    page.click(f'#people [role="option"]:has-text("{name}")')
    expect(page.locator('#people [aria-selected="true"]')).to_contain_text(name)


def test_the_whole_story(demo: Demo) -> None:
    page = demo.visit()
    expect(page.locator("article").first).to_contain_text("Type /migrate help first")

    say(page, "/migrate help")
    expect(message(page, "Only visible to you")).to_contain_text("/migrate apply")

    # Answered once Slack was asked who robin is: a form opens only seconds after a command.
    say(page, "/migrate whoami")
    expect(message(page, "staff account robin")).to_be_visible()

    say(page, "/migrate apply shop 0003")
    expect(page.locator("#modal")).to_be_visible()
    page.click("#modal button[type=submit]")
    expect(page.locator("#modal .field-error")).to_have_text("Please complete this required field.")
    page.fill("#modal textarea", "coupons for the sale")
    page.click("#modal button[type=submit]")
    approve = page.get_by_role("button", name="Approve and run")
    run = page.locator("#messages article", has_text="coupons for the sale", has=approve)
    expect(run).to_contain_text("Needs 1 approval")
    if page.locator("#modal").is_visible():
        page.keyboard.press("Escape")
        expect(page.locator("#modal")).to_be_hidden()

    # Who asks may not approve.
    run.get_by_role("button", name="Approve and run").click()
    page.click("#confirm footer button:last-child")
    expect(message(page, "Only visible to you")).to_contain_text("migration_bot.approve_run")

    # Who says no to the question has done nothing.
    become(page, "ada")
    run.get_by_role("button", name="Approve and run").click()
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(run).to_be_visible()

    run.get_by_role("button", name="Approve and run").click()
    page.click("#confirm footer button:last-child")
    done = page.locator("#messages article", has=page.locator("h3", has_text="Succeeded"))
    expect(done).to_contain_text("@ada")
    expect(done.get_by_role("button", name="Approve and run")).to_have_count(0)
    expect(done).to_contain_text("(edited)")

    done.get_by_role("button", name="replies").click()
    expect(page.locator("#thread")).to_contain_text("shop_coupon")
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()

    say(page, "/migrate history")
    expect(message(page, "Only visible to you")).to_contain_text("coupons for the sale")
    expect(message(page, "run.succeeded")).to_contain_text("audit")

    page.click("#direct button:has-text('Home')")
    expect(page.locator("#messages.home")).to_contain_text("The last runs")
    page.context.close()


def test_who_may_not_is_told_so(demo: Demo) -> None:
    page = demo.visit()
    become(page, "Somebody new")
    say(page, "/migrate plan")
    expect(message(page, "/migrate link")).to_contain_text("not tied to a staff account")
    become(page, "A guest")
    say(page, "/migrate plan")
    expect(message(page, "guest")).to_be_visible()
    become(page, "A partner")
    say(page, "/migrate plan")
    expect(message(page, "is not a valid command")).to_be_visible()
    page.context.close()


def test_somebody_new_is_tied_to_the_account_that_signs_in(demo: Demo) -> None:
    page = demo.visit()
    become(page, "Somebody new")
    say(page, "/migrate link")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Link my account").last.click()
    site = opened.value
    site.fill("#id_username", "grace")
    site.fill("#id_password", demo.passwords["grace"])
    site.click("main button[type=submit]")
    expect(site.locator("main")).to_contain_text("somebody-new")
    site.locator("main form button").last.click()
    # Seen before anything is closed: Chromium may never close a page that is just being left.
    expect(site.get_by_role("heading", name="Slack links")).to_be_visible()
    expect(site.get_by_role("row", name="U0NOBODY")).to_contain_text("grace")
    say(page, "/migrate whoami")
    expect(message(page, "Only visible to you")).to_contain_text("grace")
    page.context.close()


def test_two_windows_see_the_same_live(demo: Demo) -> None:
    one, two = demo.visit(), demo.visit()
    become(two, "ada")
    say(one, "hello from one window")
    expect(message(two, "hello from one window")).to_be_visible()
    sent = demo.slack.chat_postMessage(channel=names.CHANNEL, text="before the edit")
    expect(message(two, "before the edit")).to_be_visible()
    demo.slack.chat_update(channel=names.CHANNEL, ts=str(sent["ts"]), text="after the edit")
    expect(message(one, "after the edit")).to_contain_text("(edited)")
    one.context.close()
    two.context.close()


def test_the_keyboard_is_enough(demo: Demo) -> None:
    page = demo.visit()
    page.locator("#say").press_sequentially("/migrate pl")
    expect(page.locator("#offers li")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator('#offers [aria-selected="true"]')).to_contain_text("/migrate plan")
    page.keyboard.press("Enter")
    expect(page.locator("#say")).to_have_value("/migrate plan ")
    page.keyboard.type("sh")
    page.keyboard.press("Tab")
    expect(page.locator("#say")).to_have_value("/migrate plan shop ")
    page.keyboard.type("--d")
    expect(page.locator("#offers li")).to_have_text("--database")
    page.keyboard.press("Escape")
    expect(page.locator("#offers")).to_be_hidden()

    page.focus('#people [aria-selected="true"]')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator('#people [aria-selected="true"]')).to_contain_text("ada")
    page.context.close()


def test_whoever_speaks_while_scrolled_up_sees_the_answer(demo: Demo) -> None:
    page = demo.visit()
    say(page, "/migrate help")
    expect(message(page, "Only visible to you")).to_be_visible()
    for number in range(8):
        say(page, f"line {number} before it")
    expect(message(page, "line 7 before it")).to_be_visible()
    page.evaluate("document.querySelector('#messages').scrollTop = 0")
    expect(message(page, "line 7 before it")).not_to_be_in_viewport()
    say(page, "/migrate nonsense")
    expect(message(page, "There is no command")).to_be_in_viewport()
    page.evaluate("document.querySelector('#messages').scrollTop = 0")
    demo.slack.chat_postMessage(channel=names.CHANNEL, text="said by another")
    expect(message(page, "said by another")).to_be_attached()
    expect(message(page, "said by another")).not_to_be_in_viewport()
    page.context.close()


def test_the_focus_stays_where_it_was_when_something_is_said(demo: Demo) -> None:
    page = demo.visit()
    button = {"type": "button", "action_id": "x", "text": {"type": "plain_text", "text": "One"}}
    blocks = [{"type": "actions", "elements": [button]}]
    sent = demo.slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=blocks)
    one = page.get_by_role("button", name="One")
    one.focus()
    demo.slack.chat_postMessage(channel=names.CHANNEL, text="something new")
    expect(message(page, "something new")).to_be_visible()
    expect(one).to_be_focused()
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "drawn anew"}}
    ts = str(sent["ts"])
    demo.slack.chat_update(channel=names.CHANNEL, ts=ts, text="x", blocks=[section, *blocks])
    expect(message(page, "drawn anew")).to_be_visible()
    expect(one).to_be_focused()
    demo.slack.chat_update(channel=names.CHANNEL, ts=ts, text="x", blocks=[section])
    expect(one).to_have_count(0)
    expect(page.locator("#messages")).to_be_focused()
    page.get_by_role("button", name="# general").focus()
    demo.slack.chat_postMessage(channel=names.CHANNEL, text="something else")
    expect(message(page, "something else")).to_be_visible()
    expect(page.get_by_role("button", name="# general")).to_be_focused()
    page.context.close()


def test_a_form_that_was_left_open_stays_in_its_window_and_comes_back_in_no_other(
    demo: Demo,
) -> None:
    page = demo.visit()
    say(page, "/migrate whoami")
    expect(message(page, "staff account robin")).to_be_visible()
    say(page, "/migrate apply shop 0004")
    expect(page.locator("#modal")).to_be_visible()
    page.reload()
    expect(page.locator("#modal")).to_be_visible()
    page.context.close()
    later = demo.visit()
    expect(later.locator("#modal")).to_be_hidden()
    say(later, "/migrate apply shop 0004")
    expect(later.locator("#modal")).to_be_visible()
    later.keyboard.press("Escape")
    expect(later.locator("#modal")).to_be_hidden()
    expect(later.locator("#say")).to_be_focused()
    later.context.close()


HOSTILE = (
    "<script>window.hit=1</script> <img src=x onerror=window.hit=2> "
    "<javascript:window.hit=3|press me> <data:text/html,x|and me> "
    '<https://example.com/"onmouseover="window.hit=4|a link> *<b>bold</b>* `<i>code</i>` '
    "```<u>fence</u>``` &lt;script&gt;window.hit=5&lt;/script&gt; <!channel> \u202etxet"
)


def test_nothing_that_is_posted_becomes_markup(demo: Demo) -> None:
    plain: dict[str, Any] = {"type": "plain_text", "text": "<script>window.hit=6</script>"}
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain},
        {"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}, "fields": [plain]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": HOSTILE}]},
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "<img src=x onerror=window.hit=7>"}],
                [{"type": "raw_text", "text": HOSTILE}],
            ],
        },
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "x", "value": "<b>", "text": plain}],
        },
    ]
    page = demo.visit()
    demo.slack.chat_postMessage(channel=names.CHANNEL, text=HOSTILE)
    demo.slack.chat_postMessage(channel=names.CHANNEL, text="x", blocks=blocks)
    demo.slack.files_upload_v2(
        content="<script>window.hit=8</script>",
        filename="<img src=x onerror=window.hit=9>.sql",
        title="<script>window.hit=10</script>",
        channel=names.CHANNEL,
    )
    expect(message(page, "window.hit=10")).to_be_visible()
    said = page.locator("#messages")
    assert page.evaluate("window.hit") is None
    expect(said.locator("script, img, iframe, b, i, u, [onerror], [onmouseover]")).to_have_count(0)
    leads = said.locator("a").evaluate_all("all => all.map(one => one.protocol)")
    assert set(leads) <= {"http:", "https:"}
    expect(said.locator(".ping").first).to_have_text("@channel")
    page.context.close()


RENDERED = [
    (
        "*bold* _it_ ~gone~ `code`",
        "<strong>bold</strong> <em>it</em> <s>gone</s> <code>code</code>",
    ),
    ("*bold with <https://example.com/a_b_c|a_b link>*", None),
    ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
    ("a &lt;b&gt; &amp;amp; c", "a &lt;b&gt; &amp;amp; c"),
    ("```\nselect *\nfrom x\n```after", "<pre>select *\nfrom x</pre>after"),
    ("``` never closed", "``` never closed"),
    ("&gt; one\n&gt; two\nthree", "<blockquote>one<br>two</blockquote>three"),
    ("<@U1> in <#C1>", '<span class="mention">@Robin</span> in <span class="mention">#ops</span>'),
    ("`*not bold*`", "<code>*not bold*</code>"),
    ("<mailto:a@b.example|write>", None),
    ("<weird>", "&lt;weird&gt;"),
]


def test_mrkdwn_is_drawn_as_slack_draws_it(demo: Demo) -> None:
    page = demo.visit()
    draw = """async (text) => {
        const { mrkdwn } = await import("/sandbox/assets/mrkdwn.js");
        const names = { people: new Map([["U1", "Robin"]]), channels: new Map([["C1", "ops"]]) };
        const box = document.createElement("div");
        box.append(mrkdwn(text, names));
        return box.innerHTML;
    }"""
    drawn = {text: page.evaluate(draw, text) for text, _ in RENDERED}
    assert {text: html for text, html in drawn.items() if dict(RENDERED)[text]} == {
        text: html for text, html in RENDERED if html
    }
    link = drawn["*bold with <https://example.com/a_b_c|a_b link>*"]
    assert link.startswith("<strong>bold with <a href=")
    assert ">a_b link</a></strong>" in link
    assert 'href="mailto:a@b.example"' in drawn["<mailto:a@b.example|write>"]
    moment = page.evaluate(draw, "<!date^1700000000^{date_num}^https://example.com|then>")
    assert 'datetime="2023-11-14T22:13:20.000Z"' in moment
    page.context.close()


def test_one_stays_whom_one_chose_to_be_when_an_older_answer_comes(demo: Demo) -> None:
    page = demo.visit()
    expect(page.locator('#people [aria-selected="true"]')).to_contain_text("robin")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/state?*", hold)
    with page.expect_request("**/state?*"):
        pass
    page.click('#people [role="option"]:has-text("ada")')
    held[0].continue_()
    expect(page.locator('#people [aria-selected="true"]')).to_contain_text("ada")
    page.context.close()


def test_it_fits_a_phone(demo: Demo) -> None:
    page = demo.visit(viewport={"width": 390, "height": 844}, has_touch=True)
    say(page, "/migrate help")
    expect(message(page, "Only visible to you")).to_be_visible()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert page.evaluate(wide) is False
    expect(page.locator("#side")).to_be_hidden()
    page.click("#menu")
    expect(page.locator("#side")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    page.click("#menu")
    page.click("#menu")
    expect(page.locator("#side")).to_be_hidden()
    # Beside the menu, where a button would be pressed that lies beneath.
    send = page.locator("#composer button").bounding_box()
    assert send
    page.fill("#say", "not yet")
    page.click("#menu")
    page.touchscreen.tap(send["x"] + send["width"] - 8, send["y"] + 8)
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator("#say")).to_have_value("not yet")
    page.fill("#say", "")
    page.click("#menu")
    become(page, "ada")
    expect(page.locator("#side")).to_be_hidden()
    assert page.evaluate(wide) is False
    page.context.close()
