"""Where each app is mounted."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("publishing.urls")),
    path("", include("insights.urls")),
    path("", include("monitoring.urls")),
    path("", include("notices.urls")),
]
