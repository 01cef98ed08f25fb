/*
 * lead_words.h
 *		What a lead is found by.
 */
#ifndef OPENINFO_LEAD_WORDS_H
#define OPENINFO_LEAD_WORDS_H

#include "utils/jsonb.h"

#include "topics/keys.h"

extern void lead_words_read(Jsonb *company, Jsonb *contact, TextWords *words);

#endif
