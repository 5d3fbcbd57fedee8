#include "rules/names.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "rules/name_tables.h"

static const struct rs_error_entry *find(struct rs_error_table table, const char *name)
{
	size_t low = 0, high = table.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, table.at[middle].name);

		if (order == 0)
			return table.at + middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static enum rs_error_domain domain_of(const char *name)
{
	if (name[0] == 'C')
		return RS_DOMAIN_CURL;
	return strncmp(name, "EAI_", 4) == 0 ? RS_DOMAIN_EAI : RS_DOMAIN_ERRNO;
}

static struct rs_error_table names_of(enum rs_error_domain domain)
{
	switch (domain) {
	case RS_DOMAIN_CURL:
		return rs_curl_names();
	case RS_DOMAIN_ERRNO:
		return rs_errno_names();
	case RS_DOMAIN_EAI:
		break;
	}
	return rs_eai_names();
}

bool rs_error_by_name(const char *name, enum rs_error_domain *domain, int *code)
{
	enum rs_error_domain of = domain_of(name);
	const struct rs_error_entry *entry = find(names_of(of), name);

	if (!entry && of == RS_DOMAIN_CURL)
		entry = find(rs_curl_aliases(), name);
	if (!entry && of == RS_DOMAIN_ERRNO)
		entry = find(rs_errno_aliases(), name);
	if (!entry)
		return false;
	*domain = of;
	*code = entry->code;
	return true;
}

const char *rs_error_name(enum rs_error_domain domain, int code)
{
	struct rs_error_table table = names_of(domain);

	for (size_t i = 0; i < table.count; i++) {
		if (table.at[i].code == code)
			return table.at[i].name;
	}
	return NULL;
}

/* The groups; "any" has no members here: it is every code there may be. */
struct member {
	char group[12];
	uint8_t domain; /* enum rs_error_domain */
	int16_t code;
};

static const struct member members[] = {
	{ "timeout", RS_DOMAIN_CURL, CURLE_OPERATION_TIMEDOUT },
	{ "timeout", RS_DOMAIN_CURL, CURLE_FTP_ACCEPT_TIMEOUT },
	{ "timeout", RS_DOMAIN_ERRNO, ETIMEDOUT },
	{ "refused", RS_DOMAIN_ERRNO, ECONNREFUSED },
	{ "unreachable", RS_DOMAIN_ERRNO, ENETUNREACH },
	{ "unreachable", RS_DOMAIN_ERRNO, EHOSTUNREACH },
	{ "unreachable", RS_DOMAIN_ERRNO, ENETDOWN },
	{ "unreachable", RS_DOMAIN_ERRNO, EHOSTDOWN },
	{ "unreachable", RS_DOMAIN_ERRNO, ENONET },
	{ "reset", RS_DOMAIN_CURL, CURLE_GOT_NOTHING },
	{ "reset", RS_DOMAIN_CURL, CURLE_SEND_ERROR },
	{ "reset", RS_DOMAIN_CURL, CURLE_RECV_ERROR },
	{ "reset", RS_DOMAIN_CURL, CURLE_HTTP2 },
	{ "reset", RS_DOMAIN_CURL, CURLE_HTTP2_STREAM },
	{ "reset", RS_DOMAIN_ERRNO, ECONNRESET },
	{ "reset", RS_DOMAIN_ERRNO, ECONNABORTED },
	{ "reset", RS_DOMAIN_ERRNO, ENETRESET },
	{ "reset", RS_DOMAIN_ERRNO, EPIPE },
	{ "dns", RS_DOMAIN_CURL, CURLE_COULDNT_RESOLVE_HOST },
	{ "dns", RS_DOMAIN_CURL, CURLE_COULDNT_RESOLVE_PROXY },
	{ "dns", RS_DOMAIN_EAI, EAI_AGAIN },
	{ "dns", RS_DOMAIN_EAI, EAI_FAIL },
	{ "dns", RS_DOMAIN_EAI, EAI_NONAME },
	{ "dns", RS_DOMAIN_EAI, EAI_NODATA },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CONNECT_ERROR },
	{ "tls", RS_DOMAIN_CURL, CURLE_PEER_FAILED_VERIFICATION },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CERTPROBLEM },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CIPHER },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CACERT_BADFILE },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CRL_BADFILE },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_ISSUER_ERROR },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_PINNEDPUBKEYNOTMATCH },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_INVALIDCERTSTATUS },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_CLIENTCERT },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_SHUTDOWN_FAILED },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_ENGINE_NOTFOUND },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_ENGINE_SETFAILED },
	{ "tls", RS_DOMAIN_CURL, CURLE_SSL_ENGINE_INITFAILED },
	{ "tls", RS_DOMAIN_CURL, CURLE_USE_SSL_FAILED },
	{ "partial", RS_DOMAIN_CURL, CURLE_PARTIAL_FILE },
};

static bool add_group(struct rs_error_set *set, const char *name)
{
	bool found = false;

	if (strcmp(name, "any") == 0) {
		memset(set, 0xff, sizeof(*set));
		return true;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].group[0] == name[0] && strcmp(members[i].group, name) == 0) {
			rs_error_set_add(set, members[i].domain, members[i].code);
			found = true;
		}
	}
	return found;
}

bool rs_error_set_add_name(struct rs_error_set *set, const char *name)
{
	enum rs_error_domain domain;
	int code;

	if (name[0] >= 'a' && name[0] <= 'z')
		return add_group(set, name);
	if (!rs_error_by_name(name, &domain, &code))
		return false;
	rs_error_set_add(set, domain, code);
	return true;
}

static size_t append(const char **names, size_t count, struct rs_error_table table, size_t skip)
{
	for (size_t i = 0; i < table.count; i++)
		names[count++] = table.at[i].name + skip;
	return count;
}

/* What all names of a family begin with is left out, or it would make any two of them near. */
static const char *nearest_curl(const char *word)
{
	size_t skip = strlen("CURLE_");
	const char *names[200];
	size_t count = append(names, 0, rs_curl_names(), skip);
	const char *nearest;

	count = append(names, count, rs_curl_aliases(), skip);
	nearest = rs_nearest(word + skip, names, count);
	return nearest ? nearest - skip : NULL;
}

const char *rs_error_nearest(const char *word)
{
	static const char groups[][12] = { "any",   "timeout", "refused", "unreachable",
					   "reset", "dns",     "tls",     "partial" };
	const char *names[400];
	size_t count = 0;

	if (strncasecmp(word, "CURLE_", 6) == 0)
		return nearest_curl(word);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		names[count++] = groups[i];
	count = append(names, count, rs_errno_names(), 0);
	count = append(names, count, rs_errno_aliases(), 0);
	count = append(names, count, rs_eai_names(), 0);
	count = append(names, count, rs_curl_names(), 0);
	count = append(names, count, rs_curl_aliases(), 0);
	return rs_nearest(word, names, count);
}
