# docs.py is the example of docs/clients.md.
import json
import os

import psycopg
from docs import as_person
from psycopg.types.json import Jsonb

person = os.environ["PERSON"]


def say(name, value):
    print(f"{name}: {json.dumps(value, separators=(',', ':'))}")


def code(sub, statement):
    try:
        with as_person(sub) as connection:
            connection.execute(statement)
        return "no error"
    except psycopg.Error as error:
        return error.sqlstate


with as_person(person) as connection:
    say("insert", connection.execute("INSERT INTO app.leads (company_data) VALUES (%s) RETURNING company_data ->> 'name' AS name",
                                     [Jsonb({"name": "Psycopg"})]).fetchall())
with as_person(person) as connection:
    say("read", connection.execute("SELECT count(*) FROM app.leads WHERE company_data ->> 'name' = 'Psycopg'").fetchall())
with as_person(None) as connection:
    say("nobody", connection.execute("SELECT count(*) FROM app.leads").fetchall())
say("refused", code(person, "INSERT INTO app.leads (id, company_data) VALUES (DEFAULT, '{}')"))
say("signed out", code(None, "SELECT * FROM app.get_credit_balance()"))
