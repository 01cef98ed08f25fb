# docs.py is the example of docs/clients.md.
import json
import os

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from docs import Lead, as_person

person = os.environ["PERSON"]


def say(name, value):
    print(f"{name}: {json.dumps(value, separators=(',', ':'))}")


def code(sub, statement):
    try:
        with as_person(sub) as session:
            session.execute(text(statement))
        return "no error"
    except DBAPIError as error:
        return error.orig.pgcode


with as_person(person) as session:
    lead = Lead(company_data={"name": "SQLAlchemy"})
    session.add(lead)
    session.flush()
    assert lead.id and lead.created_at
    say("insert", [{"name": lead.company_data["name"]}])
with as_person(person) as session:
    say("read", [{"count": session.query(Lead).filter(Lead.company_data["name"].astext == "SQLAlchemy").count()}])
with as_person(None) as session:
    say("nobody", [{"count": session.query(Lead).count()}])
say("refused", code(person, "INSERT INTO app.leads (id, company_data) VALUES (DEFAULT, '{}')"))
say("signed out", code(None, "SELECT * FROM app.get_credit_balance()"))
