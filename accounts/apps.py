from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts and people")

    def ready(self) -> None:
        """The checks are registered; whoever logs in somebody, also before the first request, is heard."""
        from accounts import checks, middleware, middleware_sessions, reauthentication  # noqa: F401
