"""Risk: what an operation does to a database that others are using, as pure rules over values."""
