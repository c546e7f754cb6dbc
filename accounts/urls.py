"""Addresses of people and accounts, mounted at the top."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("language/", views.set_language, name="set_language"),
    path("accounts/", views.account_list, name="account_list"),
    path("accounts/connect/", views.account_connect, name="account_connect"),
    path("accounts/callback/", views.account_callback, name="account_callback"),
    path("accounts/<int:pk>/reconnect/", views.account_reconnect, name="account_reconnect"),
    path("accounts/<int:pk>/disconnect/", views.account_disconnect, name="account_disconnect"),
]
