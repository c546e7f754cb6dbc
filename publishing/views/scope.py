"""One row, if it is this person's to see; everything else is not found."""

from __future__ import annotations

from django.db.models import Q
from django.shortcuts import get_object_or_404

from accounts.models import User
from publishing.models import Asset, AssetKind, Batch, SubtitleTrack, Video
from publishing.selectors import with_progress


def asset_or_404(user: User, pk: int) -> Asset:
    """A source or an edited file that `user` ingested or that belongs to an account in their charge."""
    visible = Asset.objects.for_user(user).filter(kind__in=[AssetKind.SOURCE, AssetKind.EDITED])
    return get_object_or_404(visible, pk=pk)


def track_or_404(user: User, pk: int) -> SubtitleTrack:
    """Subtitles that `user` made, or that a batch in their sight uses.

    Never by the file alone: two people may have ingested the same one.
    """
    tracks = SubtitleTrack.objects.select_related("asset")
    if not user.is_staff:
        tracks = tracks.filter(Q(created_by=user) | Q(batches__in=Batch.objects.for_user(user).values("pk"))).distinct()
    return get_object_or_404(tracks, pk=pk)


def video_or_404(user: User, pk: int) -> Video:
    """A video of an account in the person's charge, with what its progress needs."""
    videos = with_progress(Video.objects.for_user(user)).select_related("batch__track", "account__token")
    return get_object_or_404(videos, pk=pk)
