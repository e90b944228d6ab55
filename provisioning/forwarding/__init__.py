"""What happens is told to the outside: to HTTPS endpoints of workspaces, and to the operator's syslog.

Knows: how far each has been told, in the order of the seals of the audit trail; the forms on the wire.
Never knows: what a fact means, or who asks.
Offers: `endpoints` (register, change, replay), `delivery` and `call`; `syslog`, `wire` and `syslog_places`.
"""
