"""The door of admins and their programs: the JSON API at `/api`, and its documentation at `/docs`.

Knows: the wire shape of the vendor's Public API (`data` envelopes, `pagination`, `errors`), which its SDKs speak.
Never knows: SQL; what an action allows.
Offers: `api.init_app`, `refused.render`.
"""
