/*
 * Preloaded after the library under test: name look-ups as a script says. $LOOKUPS is
 * "NAME:COUNT", an EAI_ name and how many look-ups end with it; or "NAME:COUNT/EVERY", so many of
 * each so many; or "NAME:x.x", a letter for each look-up, of which those of an x end so. The others
 * find 127.0.0.1. The name "silent" makes them take for ever. With $LOOKUPS_CONNECT set each begins
 * with a connect() that is refused, as one that asks a name service does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static atomic_int made;

static const struct {
	const char *name;
	int eai, h_error;
} codes[] = {
	{ "EAI_AGAIN", EAI_AGAIN, TRY_AGAIN },        { "EAI_NONAME", EAI_NONAME, HOST_NOT_FOUND },
	{ "EAI_FAIL", EAI_FAIL, NO_RECOVERY },        { "EAI_NODATA", EAI_NODATA, NO_DATA },
	{ "EAI_SYSTEM", EAI_SYSTEM, NETDB_INTERNAL },
};

static int is_to_fail(const char *script)
{
	long number = atomic_fetch_add(&made, 1), failing, every;
	long letters = (long)strspn(script, "x.");
	char *end;

	if (letters > 0)
		return number < letters && script[number] == 'x';
	failing = strtol(script, &end, 10);
	every = *end == '/' ? strtol(end + 1, NULL, 10) : 0;
	return (every > 0 ? number % every : number) < failing;
}

static void ask_a_service(void)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
					    .sin_port = htons(1),
					    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)connect(fd, (const struct sockaddr *)&nobody, sizeof(nobody));
	(void)close(fd);
}

/* The index of the code that this look-up ends with, or -1: it succeeds. */
static int failure(void)
{
	const char *script = getenv("LOOKUPS");
	const char *colon = script ? strchr(script, ':') : NULL;

	if (getenv("LOOKUPS_CONNECT"))
		ask_a_service();
	if (!colon || !is_to_fail(colon + 1))
		return -1;
	for (int i = 0; i < (int)(sizeof(codes) / sizeof(codes[0])); i++) {
		if (strncmp(script, codes[i].name, (size_t)(colon - script)) == 0)
			return i;
	}
	for (;;)
		pause();
}

EXPORT int getaddrinfo(const char *restrict host, const char *restrict service,
		       const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
		(int (*)(const char *, const char *, const struct addrinfo *,
			 struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	int i = failure();

	(void)host;
	errno = ECONNREFUSED;
	return i >= 0 ? codes[i].eai : real("127.0.0.1", service, hints, found);
}

static struct hostent *loopback(void)
{
	static char address[4] = { 127, 0, 0, 1 };
	static char *addresses[] = { address, NULL };
	static char name[] = "localhost";
	static char *none[] = { NULL };
	static struct hostent host = { name, none, AF_INET, 4, addresses };
	int i = failure();

	if (i < 0)
		return &host;
	h_errno = codes[i].h_error;
	errno = ECONNREFUSED;
	return NULL;
}

EXPORT struct hostent *gethostbyname(const char *name)
{
	(void)name;
	return loopback();
}

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	(void)name;
	(void)family;
	return loopback();
}

static int by_name(struct hostent *space, size_t size, struct hostent **result, int *error)
{
	const struct hostent *host;

	if (size < 64) {
		*error = NETDB_INTERNAL;
		return ERANGE;
	}
	host = loopback();
	*result = host ? space : NULL;
	if (host)
		*space = *host;
	else
		*error = h_errno;
	return host ? 0 : EAGAIN;
}

EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict space,
			   char *restrict buffer, size_t size, struct hostent **restrict result,
			   int *restrict error)
{
	(void)name;
	(void)buffer;
	return by_name(space, size, result, error);
}

EXPORT int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict space,
			    char *restrict buffer, size_t size, struct hostent **restrict result,
			    int *restrict error)
{
	(void)name;
	(void)family;
	(void)buffer;
	return by_name(space, size, result, error);
}
