import datetime

from django.db import migrations, models

from monitoring.triggers import triggers_remove


def remove(apps, schema_editor):
    """Back to before: the tables that the triggers write to go away."""
    triggers_remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0002_alert_details'),
        ('publishing', '0014_bound_upload_address'),
    ]

    # The triggers come after `migrate`, with the sums of what is there: monitoring.services.summaries.
    operations = [
        migrations.CreateModel(
            name='SummaryDelta',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.BigIntegerField(default=0, verbose_name='account')),
                ('day', models.DateField(default=datetime.date(1, 1, 1), verbose_name='day')),
                ('what', models.CharField(max_length=40, verbose_name='what')),
                ('n', models.BigIntegerField(verbose_name='number')),
            ],
            options={
                'verbose_name': 'change of a sum',
                'verbose_name_plural': 'changes of sums',
            },
        ),
        migrations.CreateModel(
            name='SummaryTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.BigIntegerField(default=0, verbose_name='account')),
                ('day', models.DateField(default=datetime.date(1, 1, 1), verbose_name='day')),
                ('what', models.CharField(max_length=40, verbose_name='what')),
                ('n', models.BigIntegerField(verbose_name='number')),
            ],
            options={
                'verbose_name': 'sum',
                'verbose_name_plural': 'sums',
                'constraints': [models.UniqueConstraint(fields=('account', 'day', 'what'), name='summary_total_once')],
            },
        ),
        migrations.RunPython(migrations.RunPython.noop, remove),
    ]
