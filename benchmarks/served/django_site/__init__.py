"""A project of Django with nothing but django-scim2 in it, and the models of its guide."""
