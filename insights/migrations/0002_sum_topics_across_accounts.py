"""Tables of their own: nobody waits for more than a moment."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_bound_secrets'),
        ('insights', '0001_initial'),
        ('publishing', '0014_bound_upload_address'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='of what was asked', max_length=64, unique=True, verbose_name='key')),
                ('asked', models.JSONField(verbose_name='what was asked')),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
                ('document', models.JSONField(blank=True, null=True, verbose_name='what it says')),
                ('made_at', models.DateTimeField(blank=True, null=True, verbose_name='made')),
                ('seconds', models.FloatField(default=0.0, help_text='that it took', verbose_name='seconds')),
            ],
            options={
                'verbose_name': 'kept report',
                'verbose_name_plural': 'kept reports',
                'ordering': ['-asked_at'],
            },
        ),
        migrations.CreateModel(
            name='TopicAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('videos', models.PositiveIntegerField(default=0, verbose_name='videos')),
                ('counted', models.PositiveIntegerField(default=0, verbose_name='with views')),
                ('hits', models.PositiveIntegerField(default=0, verbose_name='above the median')),
                ('last_day', models.DateField(verbose_name='last day')),
            ],
            options={
                'verbose_name': 'topic of an account',
                'verbose_name_plural': 'topics of accounts',
            },
        ),
        migrations.CreateModel(
            name='TopicSectorDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('videos', models.PositiveIntegerField(default=0, verbose_name='videos')),
                ('counted', models.PositiveIntegerField(default=0, verbose_name='with views')),
                ('hits', models.PositiveIntegerField(default=0, verbose_name='above the median')),
            ],
            options={
                'verbose_name': 'day of a topic in a sector',
                'verbose_name_plural': 'days of topics in sectors',
            },
        ),
        migrations.CreateModel(
            name='TopicStanding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='as of')),
                ('last_day', models.DateField(verbose_name='last day')),
                ('videos', models.PositiveIntegerField(default=0, verbose_name='videos')),
                ('counted', models.PositiveIntegerField(default=0, verbose_name='with views')),
                ('hits', models.PositiveIntegerField(default=0, verbose_name='above the median')),
                ('accounts', models.PositiveIntegerField(default=0, verbose_name='accounts')),
                ('videos90', models.PositiveIntegerField(default=0, verbose_name='videos in 90 days')),
                ('counted90', models.PositiveIntegerField(default=0, verbose_name='with views in 90 days')),
                ('hits90', models.PositiveIntegerField(default=0, verbose_name='above the median in 90 days')),
                ('accounts90', models.PositiveIntegerField(default=0, verbose_name='accounts in 90 days')),
                ('videos30', models.PositiveIntegerField(default=0, verbose_name='videos in 30 days')),
                ('counted30', models.PositiveIntegerField(default=0, verbose_name='with views in 30 days')),
                ('hits30', models.PositiveIntegerField(default=0, verbose_name='above the median in 30 days')),
                ('accounts30', models.PositiveIntegerField(default=0, verbose_name='accounts in 30 days')),
                ('use_weight', models.FloatField(default=0.0, verbose_name='weight of the videos')),
                ('weight', models.FloatField(default=0.0, verbose_name='weight of those with views')),
                ('hit_weight', models.FloatField(default=0.0, verbose_name='weight of those above the median')),
            ],
            options={
                'verbose_name': 'standing of a topic',
                'verbose_name_plural': 'standings of topics',
            },
        ),
        migrations.AddField(
            model_name='topicaccount',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='topic_sums', to='accounts.tiktokaccount', verbose_name='account'),
        ),
        migrations.AddField(
            model_name='topicaccount',
            name='sector',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='topic_accounts', to='accounts.sector', verbose_name='sector'),
        ),
        migrations.AddField(
            model_name='topicaccount',
            name='topic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='topic_accounts', to='insights.topic', verbose_name='topic'),
        ),
        migrations.AddField(
            model_name='topicsectorday',
            name='sector',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='topic_sums', to='accounts.sector', verbose_name='sector'),
        ),
        migrations.AddField(
            model_name='topicsectorday',
            name='topic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sums', to='insights.topic', verbose_name='topic'),
        ),
        migrations.AddField(
            model_name='topicstanding',
            name='sector',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='standings', to='accounts.sector', verbose_name='sector'),
        ),
        migrations.AddField(
            model_name='topicstanding',
            name='topic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='insights.topic', verbose_name='topic'),
        ),
        migrations.AddConstraint(
            model_name='topicaccount',
            constraint=models.UniqueConstraint(fields=('sector', 'topic', 'account'), name='topic_account_once'),
        ),
        migrations.AddConstraint(
            model_name='topicsectorday',
            constraint=models.UniqueConstraint(fields=('sector', 'topic', 'day'), name='topic_sector_day_once'),
        ),
        migrations.AddConstraint(
            model_name='topicstanding',
            constraint=models.UniqueConstraint(fields=('sector', 'topic'), name='topic_standing_once'),
        ),
        migrations.AddConstraint(
            model_name='topicstanding',
            constraint=models.UniqueConstraint(condition=models.Q(('sector__isnull', True)), fields=('topic',), name='topic_standing_overall_once'),
        ),
    ]
