"""The Web API's methods that the bot uses, with Slack's names for arguments and errors."""
