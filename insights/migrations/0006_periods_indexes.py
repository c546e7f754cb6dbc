"""Made while others write."""

from django.db import migrations, models

from subiteya.lib.migrations import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('insights', '0005_fill_topic_sums'),
    ]

    operations = [
        AddIndexOnline(
            model_name='topicsectorday',
            index=models.Index(fields=['day'], name='topic_sector_day_day'),
        ),
        AddIndexOnline(
            model_name='topicday',
            index=models.Index(fields=['account', 'day', 'topic'], name='topic_day_account_topic'),
        ),
        RemoveIndexOnline(model_name='topicday', name='topic_day_account'),
    ]
