"""The SCIM protocol, pure: schemas as data, documents, paths, filters, PATCH, projection, messages, errors.

Knows: RFC 7643 and RFC 7644, a chapter a module.
Never knows: storage, HTTP, which workspace or identity provider is at work.
Offers: its modules; nothing is re-exported.
"""
