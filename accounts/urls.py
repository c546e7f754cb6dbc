"""Addresses of people and accounts, mounted at the top."""

from django.urls import path

from accounts import (
    views,
    views_connections,
    views_login,
    views_passkeys,
    views_password,
    views_pictures,
    views_reauthentication,
    views_security,
    views_sessions,
)

app_name = "accounts"
urlpatterns = [
    path("login/", views_login.Login.as_view(), name="login"),
    path("login/code/", views_security.verify, name="verify"),
    path("security/", views_security.security, name="security"),
    path("security/enrol/", views_security.enrol, name="enrol"),
    path("security/qr.svg", views_security.qr_code, name="enrol_qr"),
    path("security/codes/", views_security.recovery_codes, name="recovery_codes"),
    path("security/remove/", views_security.remove, name="second_factor_remove"),
    path("security/again/", views_reauthentication.prove, name="prove"),
    path("security/sessions/end/", views_sessions.sessions_end_others, name="sessions_end_others"),
    path("security/sessions/<int:pk>/end/", views_sessions.session_end, name="session_end"),
    path("security/passkeys/begin/", views_passkeys.passkey_begin, name="passkey_begin"),
    path("security/passkeys/", views_passkeys.passkey_add, name="passkey_add"),
    path("security/passkeys/<int:pk>/remove/", views_passkeys.passkey_remove, name="passkey_remove"),
    path("login/passkey/begin/", views_passkeys.passkey_ask, name="passkey_ask"),
    path("login/passkey/", views_passkeys.passkey_verify, name="passkey_verify"),
    path("security/password/", views_password.PasswordChange.as_view(), name="password_change"),
    path("password/", views_password.password_forgotten, name="password_forgotten"),
    path("password/link/", views_password.password_link, name="password_link"),
    path(
        "password/new/<str:uidb64>/",
        views_password.PasswordNew.as_view(),
        {"token": "set-password"},
        name="password_new",
    ),
    path("logout/", views_login.Logout.as_view(), name="logout"),
    path("language/", views.set_language, name="set_language"),
    path("accounts/", views.account_list, name="account_list"),
    path("accounts/names/", views.account_names, name="account_names"),
    path("accounts/<int:pk>/picture/", views_pictures.picture, name="account_picture"),
    path("accounts/connect/", views_connections.account_connect, name="account_connect"),
    path("accounts/callback/", views_connections.account_callback, name="account_callback"),
    path("connect/<str:token>/", views_connections.account_invitation, name="account_invitation"),
    path("accounts/<int:pk>/reconnect/", views_connections.account_reconnect, name="account_reconnect"),
    path("accounts/<int:pk>/disconnect/", views_connections.account_disconnect, name="account_disconnect"),
]
