"""A user and a group of Django that SCIM's attributes are mixed into."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin


class Team(AbstractSCIMGroupMixin):
    """A group."""

    name = models.CharField(max_length=254, unique=True)

    class Meta:
        """Where it belongs."""

        app_label = "django_site"


class Person(AbstractSCIMUserMixin, AbstractUser):
    """A user."""

    scim_groups = models.ManyToManyField(Team, related_name="user_set")

    class Meta:
        """Where it belongs."""

        app_label = "django_site"
