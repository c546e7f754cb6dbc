from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PublishingConfig(AppConfig):
    name = "publishing"
    verbose_name = _("Publishing")

    def ready(self) -> None:
        from publishing import checks, receivers  # noqa: F401
        from publishing.text_index import make_text_indexes

        post_migrate.connect(make_text_indexes, sender=self)
