// docs.mjs is the example of docs/clients.md.
import { asPerson } from './docs.mjs';

const { PERSON: person } = process.env;
const say = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);
const code = async (promise) => promise.then(() => 'no error', (error) => (error.cause ?? error).code);

const insert = `INSERT INTO app.leads (company_data) VALUES ('{"name": "Pg", "domain": "pg.example"}') RETURNING company_data ->> 'name' AS name`;
say('insert', (await asPerson(person, (client) => client.query(insert))).rows);
say('read', (await asPerson(person, (client) => client.query(`SELECT count(*)::int FROM app.leads WHERE company_data ->> 'name' = 'Pg'`))).rows);
say('nobody', (await asPerson(undefined, (client) => client.query('SELECT count(*)::int FROM app.leads'))).rows);
say('refused', await code(asPerson(person, (client) => client.query(`INSERT INTO app.leads (id, company_data) VALUES (DEFAULT, '{"name": "P"}')`))));
say('signed out', await code(asPerson(undefined, (client) => client.query('SELECT * FROM app.get_credit_balance()'))));
process.exit(0);
