// docs.mjs is the example of docs/clients.md.
import { eq, sql } from 'drizzle-orm';
import { asPerson, leads } from './docs.mjs';

const { PERSON: person } = process.env;
const say = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);
const code = async (promise) => promise.then(() => 'no error', (error) => (error.cause ?? error).code);
const name = (rows) => rows.map((row) => ({ name: row.companyData.name }));
const count = (rows) => [{ count: rows.length }];
const named = eq(sql`${leads.companyData} ->> 'name'`, 'Drizzle');

say('insert', name(await asPerson(person, (tx) => tx.insert(leads).values({ companyData: { name: 'Drizzle' } }).returning())));
say('read', count(await asPerson(person, (tx) => tx.select().from(leads).where(named))));
say('nobody', count(await asPerson(undefined, (tx) => tx.select().from(leads))));
say('refused', await code(asPerson(person, (tx) => tx.execute(sql`INSERT INTO app.leads (id, company_data) VALUES (DEFAULT, '{"name": "D"}')`))));
say('signed out', await code(asPerson(undefined, (tx) => tx.execute(sql`SELECT * FROM app.get_credit_balance()`))));
process.exit(0);
