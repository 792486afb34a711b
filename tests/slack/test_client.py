"""The pooled client behind the SDK's private seam; this pins what the seam gives and takes."""

from __future__ import annotations

import inspect
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest
import requests
import responses
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.client import NotSlacks, PooledClient, check_response_url, get_client
from tests.slack.counting import counted

URL = "https://slack.test/api/"


def client(base_url: str = URL) -> PooledClient:
    return PooledClient(token="xoxb-test", base_url=base_url, retry_handlers=[])


def test_a_files_upload_which_the_sdk_does_itself_may_take_no_longer_than_a_call() -> None:
    assert get_client(timeout=7.5).timeout == 8
    source = inspect.getsource(WebClient.files_upload_v2)
    assert "timeout=self.timeout" in source


def test_the_seam_is_where_we_found_it() -> None:
    seam = WebClient._perform_urllib_http_request_internal
    assert list(inspect.signature(seam).parameters) == ["self", "url", "req"]
    source = inspect.getsource(WebClient._perform_urllib_http_request)
    assert "_perform_urllib_http_request_internal(url, req)" in source
    assert "except HTTPError" in source


@responses.activate
def test_a_call_goes_through_requests_with_its_token_and_body() -> None:
    responses.post(f"{URL}chat.postMessage", json={"ok": True, "ts": "1.0"})
    answer = client().chat_postMessage(channel="C1", text="ünï & <b>", blocks=[])
    assert answer["ts"] == "1.0"
    sent = responses.calls[0].request
    assert sent.headers["Authorization"] == "Bearer xoxb-test"
    assert b"C1" in (sent.body or b"")


@responses.activate
def test_an_error_of_slacks_is_a_slack_api_error() -> None:
    responses.post(f"{URL}chat.postMessage", json={"ok": False, "error": "not_in_channel"})
    with pytest.raises(SlackApiError) as failed:
        client().chat_postMessage(channel="C1", text="x")
    assert failed.value.response["error"] == "not_in_channel"


@responses.activate
def test_429_keeps_its_retry_after_and_is_not_slept_on() -> None:
    responses.post(
        f"{URL}auth.test",
        status=429,
        headers={"Retry-After": "30"},
        json={"ok": False, "error": "ratelimited"},
    )
    with pytest.raises(SlackApiError) as failed:
        client().auth_test()
    assert failed.value.response.status_code == 429
    assert failed.value.response.headers["Retry-After"] == "30"
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_is_told_and_nothing_is_repeated(status: int) -> None:
    responses.post(f"{URL}auth.test", status=status, body="<html>oops</html>")
    with pytest.raises(SlackApiError) as failed:
        client().auth_test()
    assert failed.value.response.status_code == status
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "problem",
    [requests.ConnectionError("x"), requests.ReadTimeout("x"), requests.exceptions.SSLError("x")],
)
def test_a_broken_connection_is_an_oserror_and_nothing_is_repeated(problem: Exception) -> None:
    responses.post(f"{URL}auth.test", body=problem)
    with pytest.raises(URLError):
        client().auth_test()
    assert len(responses.calls) == 1


@responses.activate
def test_400_and_above_raises_what_the_sdk_expects() -> None:
    responses.post("https://slack.test/x", status=404, body="no", headers={"X-A": "b"})
    request = Request("https://slack.test/x", method="POST")
    with pytest.raises(HTTPError) as failed:
        client()._perform_urllib_http_request_internal("https://slack.test/x", request)
    assert (failed.value.code, failed.value.read()) == (404, b"no")
    assert failed.value.headers["X-A"] == "b"


@responses.activate
def test_a_redirect_is_not_followed_with_the_token() -> None:
    responses.post(f"{URL}auth.test", status=302, headers={"Location": "https://evil.test/"})
    with pytest.raises(SlackApiError):
        client().auth_test()
    assert len(responses.calls) == 1


def test_one_connection_serves_many_calls() -> None:
    with counted() as (url, counts):
        pooled = client(url)
        for _ in range(20):
            pooled.auth_test()
    assert (counts.calls, counts.connections) == (20, 1)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.slack.com/commands/T/1/x", True),
        ("https://slack.com/x", True),
        ("https://evil.test/hooks.slack.com", False),
        ("https://hooks.slack.com.evil.test/", False),
        ("https://hooks.slack.com@evil.test/", False),
        ("http://hooks.slack.com/", False),
        ("", False),
    ],
)
def test_only_slacks_own_addresses_are_answered(url: str, allowed: bool) -> None:
    if allowed:
        check_response_url(url)
    else:
        with pytest.raises(NotSlacks):
            check_response_url(url)


def test_a_client_is_made_once_for_its_settings() -> None:
    assert get_client() is get_client()
    assert get_client(timeout=1.5).seconds == 1.5
