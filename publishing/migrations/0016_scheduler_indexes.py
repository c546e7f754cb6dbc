"""What the scheduler asks each second, without a look at what is finished."""

from django.db import migrations, models
from django.db.models import Q

from subiteya.lib.migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("publishing", "0015_list_indexes")]

    operations = [
        AddIndexOnline(
            model_name="job",
            index=models.Index(fields=["lease_until"], name="job_leased", condition=Q(lease_until__isnull=False)),
        ),
        AddIndexOnline(
            model_name="video",
            index=models.Index(fields=["status", "scheduled_at"], name="video_status_due"),
        ),
    ]
