// The generated types, with the objects that four functions return as jsonb.  Use this Database instead of the generated one.
import type { Database as Generated } from './database.types.js';

export type RevealedEmail = {
	email: string | null;                  // null: no address is known, and nothing was charged
	already_revealed: boolean;
	credits_used: number;
	credits_remaining: number | null;      // null: unlimited
};

export type WorkspaceStats = {
	leads: {
		total: number;
		today: number;
		this_week: number;
		by_status: {
			enrichment: Record<Generated['app']['Enums']['enrichment_status'], number>;
			delivery: Record<Generated['app']['Enums']['delivery_status'], number>;
		};
	};
	queries: { total: number; active: number; paused: number; completed: number };
	credits: { used: number; limit: number | null; remaining: number | null };
	members: number;
};

export type BillingSummary = {
	current_plan: string;
	subscription_status: string | null;
	current_period_end: string | null;
	total_events: number;
	last_payment: { amount_cents: number | null; currency: string | null; event_at: string } | null;
};

export type PeopleStats = {
	total_people: number;
	people_today: number;
	people_this_week: number;
	emails_revealed: number;
	emails_hidden: number;
	by_seniority_level: Record<string, number>;
	by_department: Record<string, number>;
	saved_searches: number;
	credits_used: number;
};

type Returned = {
	reveal_person_email: RevealedEmail;
	get_workspace_stats: WorkspaceStats;
	get_billing_summary: BillingSummary;
	get_people_search_stats: PeopleStats;
};

type Functions = Generated['app']['Functions'];
type Typed = { [Name in keyof Functions]: Name extends keyof Returned ? Omit<Functions[Name], 'Returns'> & { Returns: Returned[Name] } : Functions[Name] };

export type Database = Omit<Generated, 'app'> & { app: Omit<Generated['app'], 'Functions'> & { Functions: Typed } };
