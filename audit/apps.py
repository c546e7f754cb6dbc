from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit record")

    def ready(self) -> None:
        from audit import receivers  # noqa: F401
        from audit.triggers import triggers_keep

        post_migrate.connect(triggers_keep, sender=self)
