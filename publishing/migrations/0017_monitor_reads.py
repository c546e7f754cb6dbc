from django.conf import settings
from django.db import migrations, models

from subiteya.lib.migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('accounts', '0006_bound_secrets'),
        ('publishing', '0016_scheduler_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexOnline(
            model_name='circuitevent',
            index=models.Index(condition=models.Q(('counted', True)), fields=['at', 'account'], name='circuit_event_hour'),
        ),
        AddIndexOnline(
            model_name='video',
            index=models.Index(models.OrderBy(models.F('updated_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('status__in', ['failed_edit', 'failed_upload', 'held', 'missed', 'rejected', 'unconfirmed'])), name='video_stuck'),
        ),
        AddIndexOnline(
            model_name='video',
            index=models.Index(condition=models.Q(('status__in', ['failed_edit', 'failed_upload', 'held', 'missed', 'rejected', 'unconfirmed'])), fields=['account', 'updated_at'], name='video_stuck_account'),
        ),
        AddIndexOnline(
            model_name='video',
            index=models.Index(fields=['account', 'created_at'], name='video_account_created'),
        ),
        AddIndexOnline(
            model_name='video',
            index=models.Index(condition=models.Q(('posted_at__isnull', False)), fields=['account', 'posted_at'], name='video_account_posted'),
        ),
    ]
