"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "subiteya.settings.prod")
application = get_wsgi_application()

# What was loaded stays: else one large answer in twenty waits while Python looks through all of it for garbage.
gc.collect()
gc.freeze()
