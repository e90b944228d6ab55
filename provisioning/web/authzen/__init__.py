"""The door of applications that ask who may do what: OpenID AuthZEN, Authorization API 1.0, at `/access/v1`.

Knows: the API's requests and answers, and how its subjects, resources and actions are called here.
Never knows: SQL; what an action allows. What a caller says of a person or a resource (`properties`, `context`) decides
nothing: the facts are the service's own.
Offers: `door.blueprint`.
"""
