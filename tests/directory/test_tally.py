"""How many members there are is added up of pieces: never many, never wrong, and nobody waits for them."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from provisioning.database import reading, transaction
from provisioning.directory import tally
from provisioning.directory.models import MemberTally

PEOPLE = 700
# One statement for each, as they come through the door.
JOIN = """
    DO $$ DECLARE person uuid; BEGIN FOR n IN 1..{people} LOOP
        person := gen_random_uuid();
        INSERT INTO user_account (id, email, email_key) VALUES (person, person::text, person::text);
        INSERT INTO member (workspace_id, id, user_id, origin, active, user_name, user_name_key, document, search)
        VALUES ('{workspace}', person, person, 'scim', true, person::text, person::text, '{{}}', '{{}}');
    END LOOP; END $$
"""


@pytest.fixture
def join(idp):
    def join(database):
        database.execute(text(JOIN.format(people=PEOPLE, workspace=idp.workspace.id)))

    return join


@pytest.fixture
def pieces(idp):
    return select(func.count(), func.sum(MemberTally.change)).where(MemberTally.workspace_id == idp.workspace.id)


def test_the_pieces_of_those_who_join_one_by_one_do_not_pile_up(join, pieces):
    with transaction() as database:
        join(database)
    with reading() as database:
        number, total = database.execute(pieces).one()
        assert (number < PEOPLE // 2, total) == (True, PEOPLE)
        assert tally.findings(database)[0].count == 0


def test_nobody_who_joins_waits_for_who_is_at_the_pieces(join, pieces):
    with transaction() as database:
        join(database)
    with transaction() as busy:
        busy.execute(select(MemberTally).with_for_update())
        with transaction() as database:
            database.execute(text("SET LOCAL lock_timeout = '2s'"))
            join(database)
    with reading() as database:
        assert database.execute(pieces).one()[1] == 2 * PEOPLE
