"""A checksum that is soon worked out, beside the sha256. NULL: nothing is written, and old code need not know it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('publishing', '0017_monitor_reads'),
    ]

    operations = [
        migrations.AddField(
            model_name='asset',
            name='xxh3',
            field=models.CharField(blank=True, max_length=32, null=True, verbose_name='XXH3-128'),
        ),
        migrations.AddField(
            model_name='workingasset',
            name='xxh3',
            field=models.CharField(blank=True, max_length=32, null=True, verbose_name='XXH3-128'),
        ),
    ]
