"""Engines beyond the embedded default, as backends for django.tasks."""
