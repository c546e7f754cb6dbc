"""The brand patterns of a person's accounts: the list, the editor, and its live preview."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import User
from publishing.editing.ffmpeg import FfmpegError
from publishing.editing.probe import MediaRefused
from publishing.errors import StateConflict, StepFailed
from publishing.forms_brands import BrandEditForm, BrandPreviewForm
from publishing.models import Asset, AssetStatus, BrandPattern
from publishing.selectors.patterns import patterns_for
from publishing.services.patterns import PatternInUse, pattern_copy, pattern_delete, pattern_save
from publishing.services.previews import Ask, PreviewBusy, preview_jpeg
from publishing.views.media import harmless
from publishing.views.scope import sources_for
from subiteya.lib.ratelimits import use

#: Previews of one person; whoever drags a slider asks about one a second.
PREVIEWS_A_MINUTE = 90
BIGGEST_ID = 2**63 - 1
#: What could not be drawn, and how that is answered.
UNDRAWN = (FfmpegError, MediaRefused, StepFailed)


@require_GET
@signed_in
def brand_list(request: MemberRequest) -> HttpResponse:
    """The patterns of the person's accounts and those they made, with what each is used by."""
    return render(request, "publishing/brand_list.html", {"patterns": patterns_for(request.user)})


@require_http_methods(["GET", "POST"])
@signed_in
def brand_new(request: MemberRequest) -> HttpResponseBase:
    """A pattern from the defaults."""
    return _edit(request, BrandPattern())


@require_http_methods(["GET", "POST"])
@signed_in
def brand_detail(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The editor of a pattern that is wholly in the person's charge."""
    patterns = BrandPattern.objects.editable_by(request.user).select_related("logo", "music")
    return _edit(request, get_object_or_404(patterns, pk=pk))


def _edit(request: MemberRequest, pattern: BrandPattern) -> HttpResponseBase:
    stamp = pattern.updated_at.isoformat() if pattern.pk else ""
    name = pattern.name
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = BrandEditForm(*sent, instance=pattern, user=request.user)
    if sent and form.is_valid() and _saved(request, form):
        messages.success(request, gettext("Saved. What is not edited yet gets it; what is edited stays as it is."))
        return redirect("publishing:brand_detail", form.instance.pk)
    context = {"form": form, "pattern": pattern, "name": name, "stamp": stamp, "source": _source(request.user)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "publishing/brand_detail.html", context, status=status)


def _saved(request: MemberRequest, form: BrandEditForm) -> bool:
    accounts, seen = form.cleaned_data["accounts"], request.POST.get("seen", "")
    try:
        pattern_save(pattern=form.instance, user=request.user, accounts=accounts, seen=seen)
    except StateConflict:
        form.add_error(None, gettext(
            "Somebody else changed this pattern while you had it open. Your values are still here: save again to put "
            "them in the place of theirs."
        ))  # fmt: skip
    except IntegrityError:
        form.add_error("name", gettext("There is a pattern of this name."))
    else:
        return True
    return False


@require_POST
@signed_in
def brand_copy(request: MemberRequest, pk: int) -> HttpResponse:
    """The same under another name, also of a pattern that others use too."""
    pattern = get_object_or_404(BrandPattern.objects.for_user(request.user), pk=pk)
    copy = pattern_copy(pattern=pattern, user=request.user)
    messages.success(request, gettext("Duplicated. No account uses the copy yet."))
    return redirect("publishing:brand_detail", copy.pk)


@require_POST
@signed_in
def brand_delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Gone, unless an account uses it."""
    pattern = get_object_or_404(BrandPattern.objects.editable_by(request.user), pk=pk)
    try:
        pattern_delete(pattern=pattern)
    except PatternInUse:
        messages.error(request, gettext("It is used by an account: give that account another pattern first."))
    else:
        messages.success(request, gettext("Deleted."))
    return redirect("publishing:brand_list")


@require_GET
@signed_in
def brand_frame(request: MemberRequest, pk: int) -> HttpResponseBase:
    """A small picture of the pattern, for the list."""
    patterns = BrandPattern.objects.for_user(request.user).select_related("logo", "music")
    pattern = get_object_or_404(patterns, pk=pk)
    try:
        data = preview_jpeg(Ask(pattern=pattern, source=_source(request.user), sample=_sample()))
    except (*UNDRAWN, PreviewBusy):
        raise Http404 from None
    response = HttpResponse(data, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})
    return harmless(response, f"subiteya-{pk}.jpg")


@require_POST
@signed_in
def brand_preview(request: MemberRequest) -> HttpResponseBase:
    """The frame as JPEG for the editor's fields as they are, or {"error"} with 404, 422, 429 or 503.

    Of its own: `pattern` (whose stored logo it is), `share` (0 to 1) of the video, `sample` text, `before`.
    """
    usage = use(request, group="brand_preview", principal=str(request.user.pk), per_minute=PREVIEWS_A_MINUTE)
    if usage.exceeded:
        text = gettext("That was a lot of previews at once: the next one comes in %(seconds)s s.")
        return _undrawn(text % {"seconds": usage.seconds}, HTTPStatus.TOO_MANY_REQUESTS, retry_after=usage.seconds)
    form = BrandPreviewForm(request.POST, request.FILES, instance=_pattern(request), user=request.user)
    if not form.is_valid():
        return _undrawn(_first_error(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    return _draw(form, _source(request.user))


def _draw(form: BrandPreviewForm, source: Asset | None) -> HttpResponseBase:
    asked = form.cleaned_data
    share = 0.5 if asked["share"] is None else asked["share"]
    ask = Ask(
        pattern=form.instance, source=source, sample=asked["sample"], share=share, before=asked["before"],
        logo=form.logo_bytes,
    )  # fmt: skip
    try:
        data = preview_jpeg(ask)
    except PreviewBusy:
        text = gettext("Many people are previewing now: try again in a moment.")
        return _undrawn(text, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=2)
    except UNDRAWN:
        text = gettext("This picture could not be made. If you have just changed the logo, try another file.")
        return _undrawn(text, HTTPStatus.UNPROCESSABLE_ENTITY)
    response = HttpResponse(data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})
    return harmless(response, "subiteya.jpg")


def _undrawn(text: str, status: HTTPStatus, *, retry_after: int = 0) -> JsonResponse:
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return JsonResponse({"error": text}, status=status, headers=headers)


def _first_error(form: BrandPreviewForm) -> str:
    name, errors = next(iter(form.errors.items()))
    label = form.fields[name].label if name in form.fields else ""
    return f"{label}: {errors[0]}" if label else str(errors[0])


def _pattern(request: MemberRequest) -> BrandPattern:
    """The stored pattern that is being edited, a new one for none. Raises Http404 for somebody else's."""
    asked = request.POST.get("pattern", "")
    if not asked:
        return BrandPattern()
    pk = int(asked) if asked.isdecimal() and int(asked) <= BIGGEST_ID else 0
    patterns = BrandPattern.objects.for_user(request.user).select_related("logo", "music")
    return get_object_or_404(patterns, pk=pk)


def _source(user: User) -> Asset | None:
    """The newest video that may be shown."""
    return sources_for(user).filter(status=AssetStatus.READY).first()


def _sample() -> str:
    return gettext("This is how the subtitles look")
