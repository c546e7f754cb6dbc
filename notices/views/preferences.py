"""What a person wants to be told, where and when."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, signed_in
from notices.forms import PreferencesForm, zones_offered
from notices.models import NoticePreferences, Topic
from notices.selectors.rows import last_mail_that_failed
from notices.services.people import preferences_of
from notices.services.testing import TestRefused, test_mail_send


@require_http_methods(["GET", "POST"])
@signed_in
def preferences(request: MemberRequest) -> HttpResponse:
    """The form; a POST keeps it."""
    wants = preferences_of(request.user)
    form = PreferencesForm(request.POST or None, instance=wants, user=request.user)
    if request.method == "POST" and form.is_valid():
        NoticePreferences.objects.update_or_create(user=request.user, defaults=form.cleaned_data)
        messages.success(request, gettext("Saved."))
        return redirect("notices:preferences")
    context = {
        "form": form,
        "topics": [(topic, form[f"{topic}_app"], form[f"{topic}_mail"]) for topic in Topic],
        "zones": zones_offered(),
        "mails": settings.NOTICE_MAILS,
        "failed": last_mail_that_failed(request.user),
    }
    return render(request, "notices/preferences.html", context, status=200 if form.is_valid() or not form.data else 422)


@require_POST
@signed_in
def test_mail(request: MemberRequest) -> HttpResponse:
    """Send the person a mail now, and say how that went."""
    try:
        test_mail_send(user=request.user)
    except TestRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("The mail is on its way to %(address)s.") % {"address": request.user.email})
    return redirect("notices:preferences")
