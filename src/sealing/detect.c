/*
 * detect.c
 *		The second line of sealing: contacts in text that is visible by the name of its field.
 *
 * A string with an e-mail address in it is a contact, whatever the kind of its field, and so is a link to a
 * telephone. A string in which seven or more digits can be a telephone number is a contact in a text field;
 * in an id, a URL or a date it takes more than digits.  When in doubt it is a contact: what is sealed by
 * mistake is shown once it is paid for.  A string that is too long to be searched is a contact.
 *
 * Invariant: whether a string is a contact depends on itself and the kind of its field alone, and takes time
 * in proportion to its length.
 */
#include "openinfo.h"

#include "sealing/detect.h"
#include "sealing/plain_text.h"

/* Characters between two groups of digits of a number, each run of one character counting once. */
#define GAP_MOST 5

#define is_digit(c) ((c) >= '0' && (c) <= '9')
#define is_letter(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define is_space(c) ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))

/*
 * Is there an e-mail address?  Something on both sides of an at sign, as in ann@acme; with spaces between, a
 * host name behind it, as in "ann @ acme.example".  Not after a slash: https://x.example/@name is a profile.
 */
static bool
has_address(const char *s)
{
	char last = '\0'; /* before the at sign, spaces aside */

	for (const char *at = s; *at; at++)
	{
		const char *host = at + 1;

		if (*at != '@' || last == '\0' || last == '/')
		{
			last = is_space(*at) ? last : *at;
			continue;
		}
		if (!is_space(at[-1]) && *host != '\0' && !is_space(*host))
			return true;
		host += strspn(host, " \t\n\v\f\r");
		host += strcspn(host, ". @");
		/* "acme.example", and "acme . example", which is how "acme (dot) example" reads */
		if ((*host == '.' && host[1] != '\0' && !is_space(host[1])) || strncmp(host, " . ", 3) == 0)
			return true;
	}
	return false;
}

/* Is there a link to a telephone or an address?  tel:, mailto:, wa.me and the like, as words of their own. */
static bool
has_link(const char *s)
{
	static const char *const links[] = {"tel:", "tel=", "phone=", "mailto:", "sms:",
										"callto:", "wa.me", "whatsapp:", "whatsapp.com"};

	for (const char *word = s; *word; word++)
		for (int i = 0; i < lengthof(links) && is_letter(*word) && (word == s || !is_letter(word[-1])); i++)
			if (pg_strncasecmp(word, links[i], strlen(links[i])) == 0)
				return true;
	return false;
}

/* Length of an amount here, as 1,000 and 12,000,000 are written; or 0. */
static int
amount_here(const char *s)
{
	int length = strspn(s, "0123456789");

	if (length > 3 || *s == '0' || s[length] != ',')
		return 0;
	while (s[length] == ',' && strspn(s + length + 1, "0123456789") == 3)
		length += 4;
	return is_digit(s[length]) || (s[length] == ',' && is_digit(s[length + 1])) ? 0 : length;
}

/*
 * Length of what is between two groups of digits of a number, which s is behind, or 0: signs, spaces and tags
 * of HTML.  But in a text, a + begins a number.
 */
static int
gap_here(const char *s, VisibleKind kind)
{
	const char *c = s;

	for (int characters = 0; characters <= GAP_MOST && *c != '\0'; c++)
	{
		if (is_digit(*c))
			return c - s;
		if (*c == '<' && c[1 + strcspn(c + 1, "<>0123456789")] == '>')
			c += 1 + strcspn(c + 1, ">");
		if (is_letter(*c) || *c == ';' || (*c == '+' && kind != VISIBLE_TEXT) ||
			(*c == ',' && is_space(c[1])))
			return 0;
		characters += (*c & 0xc0) != 0x80 && *c != c[-1];
	}
	return 0;
}

/* Is there a telephone number?  Groups of digits with no letter and no comma and space between them. */
static bool
has_number(const char *s, VisibleKind kind)
{
	for (const char *begin = s; *s; s++)
	{
		const char *first = s;
		int			digits = 0, length, gap = 0;
		bool		years = true, spaced = false, plus;

		if (!is_digit(*s))
			continue;
		if ((s == begin || s[-1] != '+') && (length = amount_here(s)) > 0)
		{
			s += length - 1;
			continue;
		}
		do
		{
			for (const char *end = s + gap; s < end; s++)
				spaced |= IS_HIGHBIT_SET(*s) || strchr(kind == VISIBLE_URL ? " ()" : " ()/", *s) != NULL;
			length = strspn(s, "0123456789");
			years &= length == 4 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0);
			digits += length;
			s += length;
		} while ((gap = gap_here(s, kind)) > 0);
		s--;

		while (first > begin && strchr(" (", first[-1]))
			first--;
		plus = first > begin && first[-1] == '+' &&
			   (kind != VISIBLE_DATE || digits > 8 || first == begin + 1);
		if (digits >= 7 && !years && (kind == VISIBLE_TEXT || plus || (kind != VISIBLE_DATE && spaced)))
			return true;
	}
	return false;
}

/* Is there a contact in what a field of this kind holds? */
bool
detect_contact(const char *string, int length, VisibleKind kind)
{
	const char *s = plain_text(string, length);

	return length > PLAIN_TEXT_MOST || has_address(s) || has_link(s) || has_number(s, kind);
}
