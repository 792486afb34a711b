"""The sample site with one more address: a view that only verifies Slack's signature."""

from django_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench._slack_ack_urls"
