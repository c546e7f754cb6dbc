"""Made while others write."""

from django.db import migrations, models

from subiteya.lib.migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('insights', '0003_days_of_topics_know_what_is_summed'),
    ]

    operations = [
        AddIndexOnline(
            model_name='publication',
            index=models.Index(fields=['sector', 'posted_at'], name='publication_sector_posted'),
        ),
        AddIndexOnline(
            model_name='topicday',
            index=models.Index(fields=['account', 'day'], name='topic_day_account'),
        ),
        AddIndexOnline(
            model_name='topicday',
            index=models.Index(condition=models.Q(('is_behind', True)), fields=['id'], name='topic_day_unsummed'),
        ),
    ]
