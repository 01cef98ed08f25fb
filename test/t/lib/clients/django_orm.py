# docs.py is the example of docs/clients.md.
import json
import os
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
place = parse_qs(url.query)
settings.configure(USE_TZ=True, DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username,
    "HOST": place["host"][0], "PORT": place["port"][0], "OPTIONS": {"options": "-c search_path=app"}}})
django.setup()

from django.db import DatabaseError, connection  # noqa: E402
from docs import Lead, as_person  # noqa: E402

person = os.environ["PERSON"]


def say(name, value):
    print(f"{name}: {json.dumps(value, separators=(',', ':'))}")


def code(sub, statement):
    try:
        with as_person(sub), connection.cursor() as cursor:
            cursor.execute(statement)
        return "no error"
    except DatabaseError as error:
        return error.__cause__.pgcode


with as_person(person):
    lead = Lead.objects.create(company_data={"name": "Django"})
    assert lead.id
    say("insert", [{"name": Lead.objects.get(pk=lead.id).company_data["name"]}])
with as_person(person):
    say("read", [{"count": Lead.objects.filter(company_data__name="Django").count()}])
with as_person(None):
    say("nobody", [{"count": Lead.objects.count()}])
say("refused", code(person, "INSERT INTO app.leads (id, company_data) VALUES (DEFAULT, '{}')"))
say("signed out", code(None, "SELECT * FROM app.get_credit_balance()"))
