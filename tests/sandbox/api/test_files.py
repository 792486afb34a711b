"""The upload in three steps, as Slack's own client makes it."""

from __future__ import annotations

from slack_sdk import WebClient

from bot.sandbox import names
from tests.sandbox.api.calls import error_of, post
from tests.sandbox.conftest import Page, browser


def test_a_file_is_shared_into_a_thread_and_can_be_read(slack: WebClient, page: Page) -> None:
    root = post(slack)
    text = "CREATE TABLE <x>;\n" * 300
    answer = slack.files_upload_v2(
        content=text, filename="plan.sql", title="The SQL", channel=names.CHANNEL, thread_ts=root
    )
    assert answer["file"]["size"] == len(text)
    shown = page.see()
    message = shown["messages"][-1]
    assert message["thread_ts"] == root
    file = shown["files"][message["files"][0]]
    assert (file["title"], file["name"], file["is_whole"]) == ("The SQL", "plan.sql", False)
    response = browser().get(file["url"])
    assert response.content.decode() == text
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_large_file_fits(slack: WebClient) -> None:
    text = "x" * 4_000_000
    answer = slack.files_upload_v2(content=text, filename="plan.sql", channel=names.CHANNEL)
    assert answer["file"]["size"] == len(text)


def test_bytes_that_were_not_announced_are_refused(slack: WebClient) -> None:
    url = slack.files_getUploadURLExternal(filename="a.sql", length=3)["upload_url"]
    path = "/" + str(url).split("/", 3)[3]
    sent = browser().post(path, b"four", content_type="application/octet-stream")
    assert sent.status_code == 400


def test_what_was_not_uploaded_cannot_be_shared(slack: WebClient) -> None:
    file = slack.files_getUploadURLExternal(filename="a.sql", length=3)["file_id"]
    told = error_of(slack.files_completeUploadExternal, files=[{"id": file}])
    assert told["error"] == "file_not_found"


def test_a_file_that_was_not_shared_cannot_be_read(slack: WebClient) -> None:
    file = slack.files_getUploadURLExternal(filename="a.sql", length=3)["file_id"]
    assert browser().get(f"/sandbox/file/{file}").status_code == 404


def test_an_empty_file_is_refused(slack: WebClient) -> None:
    told = error_of(slack.files_getUploadURLExternal, filename="a.sql", length=0)
    assert told["error"] == "invalid_arguments"
