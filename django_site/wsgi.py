"""What a web server loads: ``gunicorn django_site.wsgi``."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_site.settings")

application = get_wsgi_application()

# All that was imported stays. To look through it for rubbish takes 50 ms, in which nobody is
# answered, and without this it is done after every few hundred requests.
gc.collect()
gc.freeze()
