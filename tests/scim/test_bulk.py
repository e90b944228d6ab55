"""In which order a Bulk request's operations are carried out, and what becomes of the bulkIds that they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.scim.bulk import in_order, plan, resolved
from provisioning.scim.errors import Conflict

graphs = st.integers(1, 12).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1)), min_size=size, max_size=size)
)


def reaches(needs, start):
    found, new = set(), [start]
    while new:
        further = needs[new.pop()] - found
        found |= further
        new += further
    return found


@given(graphs)
def test_each_comes_after_what_it_names_and_only_circles_go_together(listed):
    needs = dict(enumerate(listed))
    done = set()
    for together in in_order(needs):
        for number in together:
            assert needs[number] <= done | set(together)
            circle = {other for other in needs if other in reaches(needs, number) and number in reaches(needs, other)}
            assert set(together) == circle | {number}
        assert not done & set(together)
        done |= set(together)
    assert done == set(needs)


def test_without_references_the_order_is_that_of_the_request():
    assert list(in_order({number: set() for number in range(5)})) == [[0], [1], [2], [3], [4]]


def test_a_thousand_that_each_name_the_next_take_no_recursion():
    chain = {number: {number + 1} for number in range(999)} | {999: set()}
    assert [numbers[0] for numbers in in_order(chain)] == list(range(999, -1, -1))


def post(bulk_id, **data):
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def test_references_are_found_anywhere():
    deep = post("b", manager={"value": "bulkId:a"}, extra=[{"x": ["bulkid:a"]}])
    patch = {"method": "PATCH", "path": "/Users/bulkId:b", "data": {}}
    assert plan([post("a"), deep, patch]).needs == {0: set(), 1: {0}, 2: {1}}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Users/1", "bulkId": "a", "data": {}},
        {"method": "PATCH", "path": "/Users", "data": {}},
        {"method": "PUT", "path": "/Users/1", "data": []},
        {"method": "DELETE", "path": "/Users/1/2"},
        {"method": "DELETE", "path": "Users/1"},
        {"method": "PATCH", "path": "/Users/1", "data": {}, "version": 3},
        post("a", deep=eval("[" * 60 + "]" * 60)),  # noqa: S307 - a constant
        post("b", manager="bulkId:nobody"),
    ],
)
def test_an_operation_that_cannot_be_read_spoils_no_other(sent):
    made = plan([post("first"), sent, post("last")])
    assert list(made.wrong) == [1]
    assert made.needs == {0: set(), 1: set(), 2: set()}


def test_a_bulk_id_is_used_once():
    assert list(plan([post("a"), post("a")]).wrong) == [1]


def test_what_is_still_to_come_is_left_out_and_what_failed_is_a_conflict():
    value = {"members": [{"value": "bulkId:a"}, {"value": "bulkId:b"}], "manager": {"value": "bulkId:b"}, "n": "x"}
    assert resolved(value, {"a": "1"}, {"b"}) == {"members": [{"value": "1"}], "n": "x"}
    with pytest.raises(Conflict, match="bulkId:b"):
        resolved(value, {"a": "1"})
