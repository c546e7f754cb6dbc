"""Addresses of the reports and of the suggestions, mounted at the top."""

from django.urls import path

from insights.views import chips, hashtags, subtitles

app_name = "insights"
urlpatterns = [
    path("reports/subtitles/", subtitles.report, name="subtitles"),
    path("reports/subtitles/strata.csv", subtitles.strata_csv, name="subtitles_csv"),
    path("reports/hashtags/", hashtags.report, name="hashtags"),
    path("reports/hashtags/leaders.csv", hashtags.leaders_csv, name="hashtags_csv"),
    path("reports/hashtags/block/", hashtags.block, name="block_here"),
    path("reports/hashtags/block/<int:pk>/remove/", hashtags.unblock, name="unblock_here"),
    path("suggestions/", chips.suggestions, name="suggestions"),
    path("suggestions/block/", chips.block, name="block"),
    path("suggestions/unblock/", chips.unblock, name="unblock"),
]
