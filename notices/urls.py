"""Addresses of the notices, mounted at the top."""

from django.urls import path

from notices.views import notices, preferences

app_name = "notices"
urlpatterns = [
    path("notices/", notices.notice_list, name="list"),
    path("notices/bell/", notices.bell, name="bell"),
    path("notices/read/", notices.read, name="read"),
    path("notices/unread/", notices.unread, name="unread"),
    path("notices/<int:pk>/", notices.notice_open, name="open"),
    path("notices/preferences/", preferences.preferences, name="preferences"),
    path("notices/preferences/test/", preferences.test_mail, name="test_mail"),
]
