from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from monitoring import receivers  # noqa: F401
        from monitoring.api import schema  # noqa: F401
        from monitoring.reporting.views import views_create, views_drop
        from monitoring.services.spans import keep_spans
        from monitoring.services.summaries import summaries_keep, summaries_pause

        keep_spans()
        pre_migrate.connect(views_drop, sender=self)
        post_migrate.connect(views_create, sender=self)
        pre_migrate.connect(summaries_pause, sender=self)
        post_migrate.connect(summaries_keep, sender=self)
