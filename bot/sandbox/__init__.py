"""A stand-in Slack for one's own machine: the same requests and payloads, no account, no token."""
