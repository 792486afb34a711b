"""Values and rules of the route. Nothing here imports Django, Slack or Bolt."""
