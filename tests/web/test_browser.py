"""The staff page in a real browser: with scripts, without them, and under its own policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from bot import operations
from bot.models import Run, StoredPlan, StoredRehearsal, Worker
from bot.operations import rehearsing, running
from bot.route.data_checks import BREAKS
from bot.route.findings import Evidence, Finding, Risk
from tests import browsing
from tests.plans import a_plan, a_rehearsal, a_step, acting, an_account, measured
from tests.screenshots import chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium() is None, reason="no Chromium on the PATH or in CHROMIUM"),
]


@pytest.fixture(scope="module")
def held() -> Iterator[browsing.Held]:
    # Playwright runs an event loop in this thread, and Django would refuse to ask the database
    # beside one; nothing here is asynchronous.
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with browsing.held_browser() as held:
        yield held
    patch.undo()


@pytest.fixture
def browser(held: browsing.Held) -> Iterator[Browser]:
    with held.no_longer_than(browsing.LIMIT):
        yield held.browser


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """A page of this person; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    contexts = []

    def make(user: Any, path: str, *, scripts: bool = True) -> Page:
        client = Client()
        client.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        context = browser.new_context(java_script_enabled=scripts)
        contexts.append(context)
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}{path}")
        return page

    yield make
    for context in contexts:
        context.close()
    # A refused form is an answer with an error status, which the browser notes too.
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def worker() -> None:
    now = datetime.now(UTC)
    later = now + timedelta(hours=1)
    Worker.objects.create(name="h:1:run", kind="run", started_at=now, beat_at=later)


def test_a_run_is_asked_for_approved_and_followed_to_its_end(
    robin: Any, ada: Any, kept: Callable[..., StoredPlan], open_page: Callable[..., Page]
) -> None:
    worker()
    stored = kept(a_plan(a_step(), a_step(name="0003_other")))
    asking = open_page(robin, "/migrations/")
    asking.get_by_role("link", name="Open the plan to request it").click()
    asking.get_by_label("Reason").fill("new totals")
    asking.get_by_role("button", name="Request this run").click()
    expect(asking.locator(".state-requested").first).to_be_visible()

    deciding = open_page(ada, f"/migrations/runs/{Run.objects.get().pk}/")
    deciding.locator("summary", has_text="Approve and run").click()
    deciding.get_by_role("button", name="Yes: Approve and run").click()
    expect(deciding.locator(".state-queued").first).to_be_visible()
    expect(asking.locator(".title .state-queued")).to_be_visible()

    run = Run.objects.get()
    held = running.claim(run.pk, worker="w", now=datetime.now(UTC))
    assert held is not None
    running.start(held[0], stored.plan.basis, now=datetime.now(UTC))
    running.step_starting(held[0], "shop", "0002_more", now=datetime.now(UTC))
    expect(asking.locator(".lead")).to_have_text("Running shop.0002_more now.")
    expect(asking.get_by_role("status")).to_contain_text("Running shop.0002_more now.")
    done = ["shop.0002_more", "shop.0003_other"]
    running.step_done(held[0], "shop", "0002_more", milliseconds=20, now=datetime.now(UTC))
    running.succeed(held[0], done, now=datetime.now(UTC))
    for page in (asking, deciding):
        expect(page.locator(".lead")).to_have_text("All 2 steps are done.")
    expect(asking.get_by_role("link", name="Cancel this run")).to_have_count(0)


def test_a_reason_that_is_being_typed_survives_what_happens_meanwhile(
    ada: Any, grace: Any, asked: Callable[..., Run], open_page: Callable[..., Page]
) -> None:
    worker()
    run = asked(a_plan(a_step(risk=Risk.DANGEROUS)))
    page = open_page(ada, f"/migrations/runs/{run.pk}/")
    page.locator("summary", has_text="Reject").click()
    page.get_by_label("Reason", exact=True).last.fill("not before")
    operations.approve(run.pk, actor=acting(grace), now=datetime.now(UTC), reason="fine")
    expect(page.get_by_text("1 of 2 approvals")).to_be_visible()
    assert page.get_by_label("Reason", exact=True).last.input_value() == "not before"
    page.get_by_role("button", name="Reject this run").click()
    expect(page.locator(".lead")).to_contain_text("An approver said no.")


def test_a_plan_appears_when_it_is_ready_and_leads_to_its_run(
    robin: Any, open_page: Callable[..., Page]
) -> None:
    worker()
    now = datetime.now(UTC)
    looked = operations.ask_for_plan(actor=acting(robin), database="default", target="", now=now)
    page = open_page(robin, f"/migrations/plans/{looked.pk}/")
    operations.plan_progress(looked.pk, "2 of 7 migrations", now=now)
    expect(page.get_by_text("2 of 7 migrations", exact=False).first).to_be_visible()
    operations.store_plan(looked.pk, a_plan(), now=now)
    expect(page.get_by_role("button", name="Request this run")).to_be_visible()

    wished = operations.ask_for_plan(
        actor=acting(robin), database="default", target="", now=now, request=True, reason="x"
    )
    page = open_page(robin, f"/migrations/plans/{wished.pk}/")
    run = operations.store_plan(wished.pk, a_plan(), now=now)
    assert run is not None
    page.wait_for_url(f"**/migrations/runs/{run.pk}/")


def test_a_rehearsal_is_pressed_for_followed_and_shown_while_a_reason_is_being_typed(
    robin: Any, ada: Any, kept: Callable[..., StoredPlan], open_page: Callable[..., Page]
) -> None:
    worker()
    plan = a_plan(a_step(risk=Risk.CAUTION))
    stored = kept(plan)
    watching = open_page(ada, f"/migrations/plans/{stored.pk}/")
    page = open_page(robin, f"/migrations/plans/{stored.pk}/")
    page.get_by_role("button", name="Rehearse").click()
    expect(page.locator(".rehearsal")).to_contain_text("waiting for a worker.")
    expect(page.get_by_role("button", name="Rehearse")).to_have_count(0)
    page.get_by_label("Reason").fill("new totals")
    row = rehearsing.claim(StoredRehearsal.objects.get().pk, now=datetime.now(UTC))
    assert row is not None
    operations.rehearsal_progress(row, "1 of 1: shop.0002_more", now=datetime.now(UTC))
    panel = page.locator(".rehearsal")
    expect(panel).to_contain_text("Rehearsing on a copy of the schema, step 1 of 1")
    found = a_rehearsal(plan, measured(Risk.DANGEROUS))
    operations.store_rehearsal(row, found, now=datetime.now(UTC))
    expect(page.get_by_text("The rehearsal says so.")).to_be_visible()
    expect(page.get_by_text("Ran in 12 ms.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Measured on a copy of the schema")
    expect(page.get_by_text("2 people must approve it")).to_be_visible()
    assert page.get_by_label("Reason").input_value() == "new totals"
    page.get_by_role("button", name="Request this run").click()
    expect(page.locator(".title .risk-dangerous")).to_be_visible()
    expect(page.get_by_text("Ran in 12 ms.")).to_be_visible()
    watching.reload()
    expect(watching.get_by_text("The rehearsal says so.")).to_be_visible()


def test_all_of_it_works_without_scripts(
    robin: Any, ada: Any, kept: Callable[..., StoredPlan], open_page: Callable[..., Page]
) -> None:
    worker()
    stored = kept()
    page = open_page(robin, f"/migrations/plans/{stored.pk}/", scripts=False)
    page.get_by_label("Reason").fill("new totals")
    page.get_by_label("Not before").fill("half past two")
    page.get_by_role("button", name="Request this run").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a time that can be used")
    assert page.get_by_label("Reason").input_value() == "new totals"
    page.get_by_label("Not before").fill("")
    page.get_by_role("button", name="Request this run").click()
    expect(page.locator(".title .state-requested")).to_be_visible()

    run = Run.objects.get()
    deciding = open_page(ada, f"/migrations/runs/{run.pk}/", scripts=False)
    deciding.locator("summary", has_text="Approve and run").click()
    deciding.get_by_role("button", name="Yes: Approve and run").click()
    expect(deciding.locator(".title .state-queued")).to_be_visible()

    waiting = open_page(robin, f"/migrations/runs/{run.pk}/", scripts=False)
    held = running.claim(run.pk, worker="w", now=datetime.now(UTC))
    assert held is not None
    running.start(held[0], stored.plan.basis, now=datetime.now(UTC))
    running.succeed(held[0], ["shop.0002_more"], now=datetime.now(UTC))
    expect(waiting.get_by_text("The one step is done.")).to_be_visible()


def test_the_page_can_be_used_by_keyboard_alone(
    ada: Any, asked: Callable[..., Run], open_page: Callable[..., Page]
) -> None:
    worker()
    page = open_page(ada, f"/migrations/runs/{asked().pk}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("summary", has_text="Approve and run").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes: Approve and run").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".title .state-queued")).to_be_visible()


def test_a_page_that_changes_under_a_keyboard_does_not_send_it_back_to_the_top(
    robin: Any, ada: Any, asked: Callable[..., Run], open_page: Callable[..., Page]
) -> None:
    worker()
    now = datetime.now(UTC)
    run = asked(a_plan(a_step(), a_step(name="0003_other")))
    page = open_page(robin, f"/migrations/runs/{run.pk}/")
    cancel = page.get_by_role("link", name="Cancel this run")
    cancel.focus()
    operations.approve(run.pk, actor=acting(ada), now=now, reason="fine")
    expect(page.locator(".title .state-queued")).to_be_visible()
    expect(cancel).to_be_focused()
    operations.cancel(run.pk, actor=acting(ada), now=now, reason="not now")
    expect(cancel).to_have_count(0)
    expect(page.locator("#content")).to_be_focused()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_box_that_overrides_stands_beside_its_sentence(
    width: int, asked: Callable[..., Run], open_page: Callable[..., Page]
) -> None:
    worker()
    broken = Finding(
        code=BREAKS,
        level=Risk.CAUTION,
        because="12 rows of shop_order have NULL in total: SET NOT NULL would fail.",
        instead="Give these rows a value first.",
        evidence=Evidence.MEASURED,
    )
    run = asked(a_plan(a_step(findings=(broken,))))
    kay = an_account("kay", "approve_run", "override_findings")
    page = open_page(kay, f"/migrations/runs/{run.pk}/")
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("summary", has_text="Approve").click()
    box = page.get_by_role("checkbox")
    sentence = page.locator("label", has_text="Approve it in spite of")
    form = page.locator("#approve-choice form")
    around, square, words = (one.bounding_box() for one in (form, box, sentence))
    assert around
    assert square
    assert words
    assert square["width"] == square["height"] <= 24
    assert square["x"] - around["x"] <= 24
    assert 0 < words["x"] - (square["x"] + square["width"]) <= 16
    assert abs(words["y"] - square["y"]) <= 6
    sentence.click()
    expect(box).to_be_checked()
    box.click()
    expect(box).not_to_be_checked()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(
    width: int, ada: Any, asked: Callable[..., Run], open_page: Callable[..., Page]
) -> None:
    run = asked(
        a_plan(a_step(app="a" * 90, name="0002_" + "x" * 200), a_step(name="0003_" + "y" * 60)),
        reason="w" * 1500,
    )
    paths = ("/migrations/", "/migrations/runs/", "/migrations/audit/")
    page = open_page(ada, f"/migrations/runs/{run.pk}/")
    page.set_viewport_size({"width": width, "height": 800})
    for path in (f"/migrations/runs/{run.pk}/", *paths, f"/migrations/plans/{run.stored_plan_id}/"):
        page.goto(page.url.split("/migrations/")[0] + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
