"""What is summed of a day of a topic. PostgreSQL writes that table anew, and holds nothing else meanwhile."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0002_sum_topics_across_accounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='topicday',
            name='summed_counted',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='with views, summed'),
        ),
        migrations.AddField(
            model_name='topicday',
            name='summed_videos',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='videos summed'),
        ),
        migrations.AddField(
            model_name='topicday',
            name='summed_hits',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='above the median, summed'),
        ),
        migrations.AddField(
            model_name='topicday',
            name='is_behind',
            field=models.GeneratedField(db_persist=True, expression=models.Q(('videos__gt', models.F('summed_videos')), ('counted__gt', models.F('summed_counted')), _connector='OR'), output_field=models.BooleanField(), verbose_name='not wholly summed'),
        ),
    ]
