"""Access management and identity provisioning that a company runs itself: SCIM 2.0 in, roles, sessions and tokens out.

This file must stay importable with nothing but the standard library: the bootstrap starts here on a bare clone.
"""
