"""The administrators' pages about what is published. Rows that workers write may only be read."""

from django.contrib import admin
from django_rq.models import Dashboard

from publishing.admin import acts, assets, brands, circuits, creators, draws, intakes, jobs, uploads, videos, workers

# rq's own pages break when Redis is down, and they list messages; what happens to the work is in the jobs' pages.
if admin.site.is_registered(Dashboard):
    admin.site.unregister(Dashboard)

__all__ = [
    "acts", "assets", "brands", "circuits", "creators", "draws", "intakes", "jobs", "uploads", "videos", "workers",
]  # fmt: skip
