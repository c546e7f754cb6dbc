from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from monitoring import receivers  # noqa: F401
        from monitoring.api import schema  # noqa: F401
        from monitoring.services.spans import keep_spans

        keep_spans()
