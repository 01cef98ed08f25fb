/*
 * catalog.h
 *		Where the extension's schema, tables, columns and indexes are.
 */
#ifndef OPENINFO_CATALOG_H
#define OPENINFO_CATALOG_H

#include "openinfo.h"

#include "utils/relcache.h"

/* Owns the tables, cannot log in, is no superuser and in no other role. */
#define OWNER_ROLE "openinfo_owner"

/* What identity needs of table users, looked up once and forgotten whenever that table changes. */
typedef struct UsersTable
{
	Oid		   relid;
	Oid		   id_index;	 /* unique (id), or InvalidOid */
	Oid		   person_index; /* unique (auth_user_id, workspace_id), or InvalidOid */
	AttrNumber id;
	AttrNumber workspace_id;
	AttrNumber auth_user_id;
	AttrNumber role;
	AttrNumber created_at;
	AttrNumber created_by;
	AttrNumber plan;
	AttrNumber daily_credits_used;
	AttrNumber daily_credit_limit;
	AttrNumber credits_reset_on;
} UsersTable;

extern const char *const catalog_tables[]; /* names, then NULL */

extern void				 catalog_init(void);
extern Oid				 catalog_schema(void);
extern const char		*catalog_schema_name(void);
extern Oid				 catalog_extension_owner(void);
extern Oid				 catalog_owner(void);
extern void				 catalog_check_owners(void);
extern uint64			 catalog_generation(void);
extern const UsersTable *catalog_users(void);
extern Oid				 catalog_table(const char *name);
extern bool				 catalog_is_distributed(void);
extern bool				 catalog_is_table(Relation rel, const char *name);
extern bool				 catalog_is_ours(Oid relid);
extern bool				 catalog_has_column(const char *table, const char *name);
extern AttrNumber		 catalog_column(Oid relid, const char *name);
extern Oid				 catalog_unique_index(Relation rel, AttrNumber first, AttrNumber second);
extern Oid				 catalog_enum(const char *type, const char *label);
extern bool				 catalog_is_service_role(Oid role);

#endif
