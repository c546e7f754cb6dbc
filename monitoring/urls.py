"""Addresses of the monitor, mounted at the top."""

from django.urls import URLPattern

app_name = "monitoring"
urlpatterns: list[URLPattern] = []
