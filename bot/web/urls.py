"""Addresses of the staff page, below ``/migrations/``."""

from __future__ import annotations

from django.urls import path

from bot.web.rooms import audit, history, linking, overview, plans, runs

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("plan/", plans.plan_now, name="plan_now"),
    path("plans/<uuid:plan_id>/", plans.plan, name="plan"),
    path("plans/<uuid:plan_id>/rehearse/", plans.rehearse, name="rehearse"),
    path("apply/", plans.apply, name="apply"),
    path("runs/", history.history, name="history"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/approve/", runs.approve, name="approve"),
    path("runs/<int:run_id>/reject/", runs.reject, name="reject"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="cancel"),
    path("link/<str:code>/", linking.link, name="link"),
    path("links/", linking.links, name="links"),
    path("audit/", audit.audit, name="audit"),
    path("audit/verify/", audit.verify, name="verify"),
    path("audit/export/", audit.export, name="export"),
]
