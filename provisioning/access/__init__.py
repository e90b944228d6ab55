"""Roles on resources: who may do what, and why.

Knows: labels, resources, policies, mappings, access requests, and the one engine that judges by them.
Never knows: sessions and tokens, HTTP, how a member or group came to be.
Offers: `rules` (pure: `decide`, `effective`), `facts` (what there is to judge by), and a module a noun.
"""
