"""What beat sends and when, as data: the entry's name, the task, its queue, and the setting that holds its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the schedule."""

    name: str
    task: str
    queue: str
    interval_setting: str


SCHEDULE: tuple[Entry, ...] = (
    Entry("sweep urgent facts whose nudge was lost", "provisioning.drain_urgent", "urgent", "sweep_interval"),
    Entry("sweep letters whose nudge was lost", "provisioning.drain_letters", "letters", "sweep_interval"),
    Entry("sweep the facts whose nudge was lost", "provisioning.drain_housekeeping", "housekeeping", "sweep_interval"),
    Entry("tell endpoints what was sealed", "provisioning.drain_forwarding", "forwarding", "sweep_interval"),
    Entry("tell the syslog what was sealed", "provisioning.forward_to_syslog", "forwarding", "sweep_interval"),
    Entry("prove what must hold", "provisioning.reconcile", "housekeeping", "reconcile_interval"),
    Entry("once a day, count what drifts", "provisioning.watch_drift", "housekeeping", "reconcile_interval"),
    Entry("seal the audit trail", "provisioning.seal_audit", "housekeeping", "sweep_interval"),
    Entry("end sessions whose time is over", "provisioning.expire_sessions", "housekeeping", "expiry_interval"),
    Entry(
        "forget log entries and ended sessions that need not be kept",
        "provisioning.forget",
        "housekeeping",
        "expiry_interval",
    ),
    Entry("remove what deleted workspaces left", "provisioning.remove_deleted", "housekeeping", "expiry_interval"),
    Entry("close requests that came true", "provisioning.close_access_requests", "housekeeping", "expiry_interval"),
    Entry(
        "close what nobody has confirmed", "provisioning.expire_mapping_proposals", "housekeeping", "expiry_interval"
    ),
    Entry("forget answers kept for a day", "provisioning.forget_answers", "housekeeping", "expiry_interval"),
    Entry("forget groups lost long ago", "provisioning.forget_lost_groups", "housekeeping", "expiry_interval"),
    Entry("drop facts kept for long enough", "provisioning.drop_audit", "housekeeping", "expiry_interval"),
    Entry("look for mass changes", "provisioning.watch_mass_changes", "housekeeping", "expiry_interval"),
    Entry("end policies whose time is over", "provisioning.expire_policies", "housekeeping", "expiry_interval"),
    Entry("delete invitations long expired", "provisioning.expire_invitations", "housekeeping", "expiry_interval"),
    Entry("add up the numbers of members", "provisioning.gather_tallies", "housekeeping", "expiry_interval"),
    Entry("let the next key sign", "provisioning.tend_keys", "housekeeping", "expiry_interval"),
    Entry("end tokens whose time is over", "provisioning.expire_tokens", "housekeeping", "expiry_interval"),
    Entry("tell of tokens whose end is near", "provisioning.warn_of_expiry", "housekeeping", "expiry_interval"),
    Entry("forget tokens that ended long ago", "provisioning.forget_tokens", "housekeeping", "expiry_interval"),
)
