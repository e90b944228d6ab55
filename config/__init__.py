"""Everything that is decided outside the code.

Knows: the environment's variables, the catalogue of built-in roles, the schedule of the clean-up.
Never knows: any other package of this project; only the composition roots read it.
Offers: `settings.load`, `secret_key.read_or_create`, `roles.CATALOGUE`, `schedule.SCHEDULE`.
"""
