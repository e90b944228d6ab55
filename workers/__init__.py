"""Celery: the work that committed facts call for, and scheduled clean-up.

Knows: when a room's function is called, how often, and what is done when it fails.
Never knows: SQL and rules; what a task does is one call of a room.
Offers: `python -m workers worker` and `python -m workers beat`.
"""
