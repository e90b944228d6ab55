from __future__ import annotations

from provisioning import entropy


def test_ids_are_uuids_of_version_7_and_sort_by_the_time_of_their_making():
    ids = [entropy.new_id() for _ in range(1000)]
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 1000
    milliseconds = [i.int >> 80 for i in ids]
    assert milliseconds == sorted(milliseconds)
