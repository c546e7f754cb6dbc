"""Insights in the admin: what the reports are made of."""

from __future__ import annotations

from django.contrib import admin

from insights.models import (
    AccountCounts,
    BlockedTopic,
    CountSnapshot,
    KeptReport,
    Publication,
    PublicationTopic,
    SuggestedTopic,
    Suggestion,
    Topic,
    TopicAccount,
    TopicDay,
    TopicSectorDay,
    TopicStanding,
)
from subiteya.lib.admin import ReadOnlyAdmin


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ["video_id", "account", "arm", "assignment", "due_at", "outcome", "views", "is_hit"]
    list_filter = ["outcome", "arm", "assignment", "is_hit"]
    list_select_related = ["account"]
    date_hierarchy = "due_at"
    search_fields = ["account__username"]


@admin.register(CountSnapshot)
class CountSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["publication_id", "taken_at", "views", "likes", "comments", "shares"]
    search_fields = ["publication__account__username"]


@admin.register(AccountCounts)
class AccountCountsAdmin(ReadOnlyAdmin):
    list_display = ["account", "asked_at", "next_at", "failures", "code"]
    list_select_related = ["account"]
    search_fields = ["account__username", "code"]


@admin.register(Topic)
class TopicAdmin(ReadOnlyAdmin):
    list_display = ["name", "hashtag"]
    search_fields = ["name", "hashtag"]


@admin.register(PublicationTopic)
class PublicationTopicAdmin(ReadOnlyAdmin):
    list_display = ["publication_id", "hashtag"]
    search_fields = ["hashtag"]


@admin.register(TopicDay)
class TopicDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "account", "sector", "topic", "videos", "counted", "hits"]
    list_filter = ["sector"]
    list_select_related = ["account", "sector", "topic"]
    search_fields = ["topic__name", "account__username"]


@admin.register(TopicSectorDay)
class TopicSectorDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "sector", "topic", "videos", "counted", "hits"]
    list_filter = ["sector"]
    list_select_related = ["sector", "topic"]
    search_fields = ["topic__name"]


@admin.register(TopicAccount)
class TopicAccountAdmin(ReadOnlyAdmin):
    list_display = ["account", "sector", "topic", "videos", "counted", "hits", "last_day"]
    list_filter = ["sector"]
    list_select_related = ["account", "sector", "topic"]
    search_fields = ["topic__name", "account__username"]


@admin.register(TopicStanding)
class TopicStandingAdmin(ReadOnlyAdmin):
    list_display = ["topic", "sector", "day", "videos30", "videos90", "videos", "last_day"]
    list_filter = ["sector"]
    list_select_related = ["sector", "topic"]
    search_fields = ["topic__name"]


@admin.register(KeptReport)
class KeptReportAdmin(ReadOnlyAdmin):
    list_display = ["pk", "asked_at", "made_at", "seconds"]
    search_fields = ["key"]


@admin.register(BlockedTopic)
class BlockedTopicAdmin(ReadOnlyAdmin):
    list_display = ["name", "sector", "reason", "blocked_by", "at"]
    list_filter = ["sector"]
    list_select_related = ["sector", "blocked_by"]
    search_fields = ["name", "reason"]


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    list_display = ["pk", "sector", "user", "shown_at", "batch_id"]
    list_filter = ["sector"]
    list_select_related = ["sector", "user"]
    search_fields = ["user__username", "submission_key"]


@admin.register(SuggestedTopic)
class SuggestedTopicAdmin(ReadOnlyAdmin):
    list_display = ["suggestion_id", "rank", "topic", "is_chosen"]
    list_select_related = ["topic"]
    search_fields = ["topic__name"]
