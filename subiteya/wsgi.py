"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "subiteya.settings.prod")
application = get_wsgi_application()

# What is loaded stays: else one large answer in twenty waits while Python looks through all of it for garbage. So every
# page's code is loaded now, and not with its first request.
assert get_resolver().url_patterns
gc.collect()
gc.freeze()
# One page makes ten thousand objects and forgets them. Python would look for circles among them fifteen times, and in
# one page of seven among all; so it does in two or three pages once, and among all in hundreds.
gc.set_threshold(20_000, 10, 10)
