"""One row, if it is this person's to see; everything else is not found."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from accounts.models import User
from publishing.models import Asset, AssetKind, Batch, SubtitleTrack, Video
from publishing.selectors.videos import with_progress


def files_for(user: User) -> QuerySet[Asset]:
    """The sources and edited files that `user` ingested or that belong to an account in their charge."""
    return Asset.objects.for_user(user).filter(kind__in=[AssetKind.SOURCE, AssetKind.EDITED])


def sources_for(user: User) -> QuerySet[Asset]:
    """What may be published: never the edited result of something else."""
    return Asset.objects.for_user(user).filter(kind=AssetKind.SOURCE)


def asset_or_404(user: User, pk: int) -> Asset:
    return get_object_or_404(files_for(user), pk=pk)


def tracks_for(user: User) -> QuerySet[SubtitleTrack]:
    """The subtitles that `user` made, or that a batch in their sight uses.

    Never by the file alone: two people may have ingested the same one.
    """
    tracks = SubtitleTrack.objects.select_related("asset")
    if user.sees_everything:
        return tracks
    return tracks.filter(Q(created_by=user) | Q(batches__in=Batch.objects.for_user(user).values("pk"))).distinct()


def track_or_404(user: User, pk: int) -> SubtitleTrack:
    return get_object_or_404(tracks_for(user), pk=pk)


def video_or_404(user: User, pk: int) -> Video:
    """A video of an account in the person's charge, with what its progress needs."""
    videos = with_progress(Video.objects.for_user(user)).select_related("batch__track", "track", "account__token")
    return get_object_or_404(videos, pk=pk)
