"""Addresses of the product's pages, mounted at the top."""

from django.urls import path
from django.views.generic import RedirectView

from publishing.views import actions, assets, batches, circuits, health, media, tracks, videos, webhooks

app_name = "publishing"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="publishing:video_list"), name="home"),
    path("new/", batches.batch_new, name="batch_new"),
    path("creator-info/", batches.creator_info, name="creator_info"),
    path("assets/", assets.asset_upload, name="asset_upload"),
    path("assets/<int:pk>/", assets.asset_detail, name="asset_detail"),
    path("assets/<int:pk>/frame.jpg", assets.asset_frame, name="asset_frame"),
    path("assets/<int:pk>/media/", media.asset_media, name="asset_media"),
    path("tracks/", tracks.track_create, name="track_create"),
    path("tracks/<int:pk>/", tracks.track_detail, name="track_detail"),
    path("videos/", videos.video_list, name="video_list"),
    path("videos/live/", videos.video_list_live, name="video_list_live"),
    path("videos/<int:pk>/", videos.video_detail, name="video_detail"),
    path("videos/<int:pk>/live/", videos.video_live, name="video_live"),
    path("videos/<int:pk>/cancel/", actions.video_cancel, name="video_cancel"),
    path("videos/<int:pk>/retry/", actions.video_retry, name="video_retry"),
    path("videos/<int:pk>/reschedule/", actions.video_reschedule, name="video_reschedule"),
    path("videos/<int:pk>/resolve/", actions.video_resolve, name="video_resolve"),
    path("accounts/<int:pk>/circuit/", circuits.circuit_detail, name="circuit_detail"),
    path("accounts/<int:pk>/circuit/<slug:name>/", circuits.circuit_act, name="circuit_act"),
    path("webhooks/tiktok/", webhooks.tiktok_webhook, name="webhook"),
    path("healthz", health.health, name="health"),
]
