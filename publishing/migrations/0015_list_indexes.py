from django.db import migrations, models

from subiteya.lib.migrations import AddIndexOnline

NEWEST = models.OrderBy(models.F("id"), descending=True)


class Migration(migrations.Migration):
    """What the list looks by. The index of the texts is made after the migrations: publishing.text_index."""

    atomic = False
    dependencies = [("publishing", "0014_bound_upload_address")]
    operations = [
        AddIndexOnline(model_name="video", index=index)
        for index in (
            models.Index(models.F("account"), models.F("status"), NEWEST, name="video_account_status_newest"),
            models.Index(models.F("reason_code"), NEWEST, name="video_cause_newest"),
            models.Index(fields=["post_id"], name="video_post"),
            models.Index(fields=["trace_id"], name="video_trace"),
            models.Index(
                fields=["scheduled_at"], name="video_goes_out", condition=models.Q(scheduled_at__isnull=False)
            ),
        )
    ]
