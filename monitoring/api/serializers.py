"""The shape of the monitor's document: for the schema, and for the test that holds the document to it."""

from __future__ import annotations

from rest_framework import serializers as s

from monitoring.selectors.document import DEFAULT_DAYS, MAX_DAYS
from publishing.states import SUBTITLE_VARIANTS, CircuitState, JobKind, JobStatus, VideoStatus


class MetricsQuery(s.Serializer[dict[str, int]]):
    """What may be asked for."""

    days = s.IntegerField(
        min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS, help_text="days of dailyThroughput, today included"
    )


class DaySerializer(s.Serializer[object]):
    day = s.DateField(help_text="in the agency's time zone")
    created = s.IntegerField(help_text="videos submitted")
    processed = s.IntegerField(help_text="videos that TikTok published")
    failed = s.IntegerField(help_text="videos that ended in red; once a day each")


class TroubleSerializer(s.Serializer[object]):
    account = s.CharField()
    failures7d = s.IntegerField(help_text="its videos that ended in red")
    failuresLastHour = s.IntegerField(help_text="the same, of the last hour")
    countedLastHour = s.IntegerField(help_text="failed attempts that the circuit breaker counts")
    breaker = s.ChoiceField(CircuitState.values)


class FailureSerializer(s.Serializer[object]):
    video = s.IntegerField()
    account = s.CharField()
    status = s.ChoiceField(VideoStatus.values)
    cause = s.CharField(allow_blank=True, help_text="TikTok's code or ours")
    sentence = s.CharField(allow_blank=True, help_text="what happened, in the reader's language")
    traceId = s.CharField()
    when = s.DateTimeField()


class TopicSerializer(s.Serializer[object]):
    topic = s.CharField(help_text="a hashtag without #, case and accents")
    hashtag = s.CharField(help_text="as it is mostly written")
    videos = s.IntegerField(help_text="published in the last 30 days")
    accounts = s.IntegerField()
    counted = s.IntegerField(help_text="of these, videos whose views can be compared")
    aboveMedian = s.IntegerField(help_text="of these, above the median of their account")
    lastDay = s.DateField()


class StageSerializer(s.Serializer[object]):
    count = s.IntegerField()
    average = s.FloatField(allow_null=True, help_text="seconds")
    p50 = s.FloatField(allow_null=True)
    p95 = s.FloatField(allow_null=True)


class StagesSerializer(s.Serializer[object]):
    edit = StageSerializer()
    upload = StageSerializer()
    verify = StageSerializer()
    total = StageSerializer(help_text="from the submission, or its hour, to TikTok's published")


class RateSerializer(s.Serializer[object]):
    rate = s.FloatField(allow_null=True, min_value=0, max_value=1)
    published = s.IntegerField()
    ended = s.IntegerField()


class RatesSerializer(s.Serializer[object]):
    overall = RateSerializer()
    bySubtitles = s.DictField(child=RateSerializer(), help_text=" | ".join(SUBTITLE_VARIANTS))


class CapacitySerializer(s.Serializer[object]):
    now = s.IntegerField(help_text="jobs that a worker works on")
    peak30d = s.IntegerField(help_text="the most at once in 30 days")
    share = s.FloatField(allow_null=True, help_text="now / peak30d")
    capacity = s.IntegerField(help_text="live workers: one job each")


class ExpirySerializer(s.Serializer[object]):
    access = s.IntegerField(help_text="seconds")
    refresh = s.IntegerField(help_text="seconds")


class TokenSerializer(s.Serializer[object]):
    account = s.CharField()
    expires_in = ExpirySerializer()


class CounterSerializer(s.Serializer[object]):
    total = s.FloatField()
    series = s.ListField(child=s.DictField(), help_text="label values and `value`; series at 0 are left out")


class RuntimeSerializer(s.Serializer[object]):
    counters = s.DictField(child=CounterSerializer(), help_text="as in /metrics")
    queued_jobs = s.DictField(child=s.IntegerField())
    workers = s.DictField(child=s.IntegerField())
    circuits = s.DictField(child=s.IntegerField())
    tiktok_outage = s.BooleanField()


class DocumentSerializer(s.Serializer[object]):
    """What `GET /api/monitor/metrics` answers."""

    schemaVersion = s.IntegerField()
    generatedAt = s.DateTimeField()
    videoStatus = s.DictField(child=s.IntegerField(), help_text="status → videos")
    jobsByStatus = s.DictField(child=s.IntegerField(), help_text=" | ".join(JobStatus.values))
    jobsByType = s.DictField(child=s.IntegerField(), help_text=" | ".join(JobKind.values))
    dailyThroughput = DaySerializer(many=True)
    accountsWithFailures = TroubleSerializer(many=True)
    recentFailures = FailureSerializer(many=True)
    topicLeaders = s.DictField(child=TopicSerializer(many=True), help_text="sector, or `overall` → hashtags")
    processedLast24h = s.IntegerField()
    failedLast24h = s.IntegerField()
    averageProcessingSeconds = s.FloatField(allow_null=True)
    processingSeconds = StagesSerializer()
    publish_success_rate = RatesSerializer()
    active_jobs = CapacitySerializer()
    runtime = RuntimeSerializer()
    tokens = TokenSerializer(many=True)
