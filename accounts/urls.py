"""Addresses of people and accounts, mounted at the top."""

from django.urls import path

from accounts import views, views_security

app_name = "accounts"
urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("login/code/", views_security.verify, name="verify"),
    path("security/", views_security.security, name="security"),
    path("security/enrol/", views_security.enrol, name="enrol"),
    path("security/qr.svg", views_security.qr_code, name="enrol_qr"),
    path("security/codes/", views_security.recovery_codes, name="recovery_codes"),
    path("security/remove/", views_security.remove, name="second_factor_remove"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("language/", views.set_language, name="set_language"),
    path("accounts/", views.account_list, name="account_list"),
    path("accounts/connect/", views.account_connect, name="account_connect"),
    path("accounts/callback/", views.account_callback, name="account_callback"),
    path("accounts/<int:pk>/reconnect/", views.account_reconnect, name="account_reconnect"),
    path("accounts/<int:pk>/disconnect/", views.account_disconnect, name="account_disconnect"),
]
