"""What Django reads."""

from __future__ import annotations

import os

from psycopg.conninfo import conninfo_to_dict

_WHERE = conninfo_to_dict(os.environ["DJANGO_DATABASE"])
_SITE = "benchmarks.served.django_site"

ALLOWED_HOSTS = ["*"]
AUTH_USER_MODEL = "django_site.Person"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _WHERE["dbname"],
        "HOST": _WHERE["host"],
        "USER": _WHERE["user"],
        "CONN_MAX_AGE": None,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_scim", _SITE]
MIDDLEWARE = [f"{_SITE}.middleware.somebody", "django_scim.middleware.SCIMAuthCheckMiddleware"]
# Tables are made from the models as they are.
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "django_scim"))
ROOT_URLCONF = f"{_SITE}.urls"
SCIM_SERVICE_PROVIDER = {
    "NETLOC": "127.0.0.1",
    "GROUP_MODEL": f"{_SITE}.models.Team",
    "AUTHENTICATION_SCHEMES": [{"type": "oauth2", "name": "OAuth 2", "description": "A bearer token"}],
}
SECRET_KEY = "of a server that lives for a measurement"  # noqa: S105 - that
USE_TZ = True
