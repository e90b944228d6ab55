"""`/Bulk` (RFC 7644, section 3.7): many operations in one request, each of them whole or not at all by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response
from werkzeug.datastructures import ETags
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_etags

from provisioning.database import Connection
from provisioning.scim import messages
from provisioning.scim.bulk import BulkOperation, Plan, in_order, parse_bulk, plan, resolved
from provisioning.scim.errors import Conflict, InvalidPath
from provisioning.web.failure import failure_of
from provisioning.web.guard import by_connection
from provisioning.web.scim import groups, journal, media, told, users
from provisioning.web.scim.asking import Asking, of_request
from provisioning.web.scim.operation import STATUSES, Operation, Written, carry_out

MOST_OPERATIONS, MOST_BYTES = 1000, 4 * 1024 * 1024
_VERBS = {f"/{endpoint.name}": endpoint.verbs for endpoint in (users.ENDPOINT, groups.ENDPOINT)}

blueprint = Blueprint("bulk", __name__)


@blueprint.post("/Bulk")
@by_connection
def bulk() -> Response:
    """Carry out the operations; 200 says only that each was looked at."""
    asked = parse_bulk(media.body(MOST_BYTES))
    if len(asked.operations) > MOST_OPERATIONS:
        raise RequestEntityTooLarge(f"A Bulk request has at most {MOST_OPERATIONS} operations.")
    run = _Run(of_request(), plan(asked.operations))
    most = asked.fail_on_errors or MOST_OPERATIONS
    for numbers in in_order(run.plan.needs):
        run.carry_out(numbers)
        if run.errors >= most:
            break
    return media.respond(messages.bulk_response([run.results[number] for number in sorted(run.results)]))


@dataclass
class _Run:
    """One request's operations, and what has become of them so far."""

    asking: Asking
    plan: Plan
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    # Of the resources that were made, by bulkId.
    ids: dict[str, str] = field(default_factory=dict)
    errors: int = 0

    def carry_out(self, numbers: Sequence[int]) -> None:
        """Carry out one operation, or those that name one another in a circle: these stand or fall together."""
        ids: dict[str, str] = {}
        written: dict[int, Written | None] = {}
        current = numbers[0]

        def work(database: Connection) -> None:
            nonlocal current
            ids.clear()
            ids.update(self.ids)
            for current in numbers:
                written[current] = self._begin(database, current, numbers, ids)
            for current in numbers:
                if self.plan.needs[current] & set(numbers):
                    written[current] = self._complete(database, current, ids)

        try:
            carry_out(self.asking, work)
        except Exception as error:  # noqa: BLE001 - it becomes the result of these operations alone
            for number in numbers:
                self._failed(number, error if number == current else Conflict(_BESIDE))
            return
        self.ids.update(ids)
        for number, left in written.items():
            self._done(number, left)

    def _begin(self, database: Connection, number: int, circle: Sequence[int], ids: dict[str, str]) -> Written | None:
        """Carry an operation out; one in a circle at first without what is still to be made."""
        if number in self.plan.wrong:
            raise self.plan.wrong[number]
        operation = self.plan.read[number]
        to_come = {str(self.plan.read[other].bulk_id) for other in self.plan.needs[number] & set(circle)}
        left = _prepared(self.asking, operation, ids, to_come)(database)
        if operation.method == "POST" and left is not None:
            ids[str(operation.bulk_id)] = left.identifier
        return left

    def _complete(self, database: Connection, number: int, ids: dict[str, str]) -> Written | None:
        """Give a resource of a circle what it was made without."""
        operation = self.plan.read[number]
        replace = _VERBS[operation.endpoint].replace
        identifier, data = ids[str(operation.bulk_id)], resolved(operation.data, ids)
        return replace(self.asking, identifier, data, ETags(), None)(database)

    def _done(self, number: int, left: Written | None) -> None:
        operation = self.plan.read[number]
        status = STATUSES[operation.method]
        journal.operation(self.asking, operation.method, f"/Bulk{operation.endpoint}", status, {})
        self.results[number] = {
            **_named(operation),
            "location": self._location(operation) if left is None else left.location,
            **({} if left is None else {"version": f'W/"{left.version}"'}),
            "status": str(status),
        }

    def _failed(self, number: int, error: Exception) -> None:
        self.errors += 1
        operation = self.plan.read.get(number)
        failure = failure_of(error)
        where = {} if operation is None or operation.method == "POST" else {"location": self._location(operation)}
        named = {} if operation is None else _named(operation)
        document = told.of_failure(failure).document
        path = "/Bulk" if operation is None else f"/Bulk{operation.endpoint[:100]}"
        journal.operation(self.asking, named.get("method", "POST"), path, failure.status, document)
        self.results[number] = {**named, **where, "status": str(failure.status), "response": document}

    def _location(self, operation: BulkOperation) -> str:
        written = operation.identifier or ""
        bulk_id = written.partition(":")[2]
        return f"{self.asking.viewer.base_url}{operation.endpoint}/{self.ids.get(bulk_id, written)}"


_BESIDE = "An operation failed that this one names, and that names this one."


def _prepared(asking: Asking, operation: BulkOperation, ids: dict[str, str], to_come: set[str]) -> Operation:
    """The operation with ids in place of bulkIds, checked."""
    verbs = _VERBS.get(operation.endpoint)
    if verbs is None:
        raise InvalidPath(f"A Bulk request works on {' and '.join(_VERBS)}, not on {operation.endpoint[:100]}.")
    data = resolved(operation.data, ids, to_come)
    identifier = "" if operation.identifier is None else str(resolved(operation.identifier, ids))
    return verbs.prepare(operation.method, asking, identifier, data, parse_etags(operation.version), None)


def _named(operation: BulkOperation) -> dict[str, Any]:
    bulk_id = {} if operation.bulk_id is None else {"bulkId": operation.bulk_id}
    return {"method": operation.method, **bulk_id}
