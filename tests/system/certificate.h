/*
 * A certificate for localhost, signed by itself, good for two days; made by openssl.
 */
#ifndef TESTS_CERTIFICATE_H
#define TESTS_CERTIFICATE_H

/* Makes both files. The names last as long as the test program. */
struct certificate {
	const char *certificate, *key;
};
struct certificate certificate_make(void);

#endif
