// Compiled, not run: what the generated types of an installation know.  A line below @ts-expect-error is wrong, and
// tsc complains when it finds nothing wrong with it.
import { PostgrestClient } from '@supabase/postgrest-js';
import type { Enums, Tables, TablesInsert } from './database.types.js';
import type { Database } from './openinfo.types.js';

const db = new PostgrestClient<Database, { PostgrestVersion: '12' }, 'app'>('http://localhost');

// tables, and rows to insert
const name: string = ({} as Tables<'workspaces'>).name;
const plan: TablesInsert<'plans'> = { name: 'team', daily_credits: null, active_queries: 5 };
// @ts-expect-error
const price: TablesInsert<'plans'> = { name: 'team', colour: 'red' };

// enums
const role: Enums<'user_role'> = 'owner';
// @ts-expect-error
const king: Enums<'user_role'> = 'king';

export async function session() {
	// columns, embedding and computed fields
	const leads = await db.from('leads').select('id, lead_domain, queries(name, global_topics(topic))').eq('lead_domain', 'siemens.com').throwOnError();
	const domain: string | null = leads.data[0].lead_domain;
	const topic: string | undefined = leads.data[0].queries?.global_topics.topic;
	// @ts-expect-error
	const colour = leads.data[0].colour;
	// @ts-expect-error
	await db.from('clues').select('id');
	// @ts-expect-error
	await db.from('queries').update({ status: 'resting' });

	// functions: arguments by name, rows that they return
	const topics = await db.rpc('search_topics', { search_query: 'mach', result_limit: 5 }).throwOnError();
	const relevance: number = topics.data[0].relevance;
	const category: Enums<'topic_category'> = topics.data[0].category;
	// @ts-expect-error
	const found = topics.data[0].found;
	// @ts-expect-error
	await db.rpc('search_topics', { query: 'mach' });
	// @ts-expect-error
	await db.rpc('search_everything');

	// and the objects that some return
	const stats = await db.rpc('get_workspace_stats').throwOnError();
	const failed: number = stats.data.leads.by_status.enrichment.failed;
	// @ts-expect-error
	const lost = stats.data.leads.by_status.enrichment.lost;
	const revealed = await db.rpc('reveal_person_email', { p_result_id: leads.data[0].id }).throwOnError();
	const email: string | null = revealed.data.email;

	const id: string | null = (await db.rpc('create_workspace', { p_slug: 'north', p_name: 'North', p_email: 'ann@north.example' })).data;
	return [name, plan, price, role, king, domain, topic, colour, relevance, category, found, id, failed, lost, email];
}
