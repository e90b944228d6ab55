"""How people get in and out: `/sign-in`.

Knows: the one-time link, the invitation, OpenID Connect as a client speaks it, and a person's list of own sessions.
Never knows: SQL, how long a session may live, and which member somebody is whom an identity provider vouches for.
Offers: the blueprints of `link`, `invitation`, `oidc`, `out` and `mine`; `state.SealedState` for the application;
`addresses` and `provider` of an identity provider.
"""
