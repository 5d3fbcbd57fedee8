/*
 * What tests of transfers by curl and pycurl share: the object that they ask for, the error that
 * comes before it, and rules that wait.
 */
#ifndef TESTS_CURL_PARTS_H
#define TESTS_CURL_PARTS_H

#include "harness.h"

#define S3_ERROR                                                                                   \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                             \
	"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
#define OBJECT "the object\n"

/* Two waits of 40 and 80 ms, for whatever the rule says. */
#define POLICY          "[policy default]\nmax_attempts = 3\nbase = 40ms\njitter = none\n"
#define RULES(matchers) rules_file(POLICY "[rule it]\n" matchers "\n")

#endif
