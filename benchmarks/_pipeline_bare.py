"""rq's own forking worker and nothing else: what ours is compared with."""

from __future__ import annotations

import sys

from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer


def main(address: str) -> None:
    connection = Redis.from_url(address)
    queue = Queue("bench-bare", connection=connection, serializer=JSONSerializer)
    Worker([queue], connection=connection, serializer=JSONSerializer, default_result_ttl=0).work(
        logging_level="WARNING"
    )


if __name__ == "__main__":
    main(sys.argv[1])
