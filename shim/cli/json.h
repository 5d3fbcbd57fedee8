/*
 * JSON on stdout.
 */
#ifndef RS_CLI_JSON_H
#define RS_CLI_JSON_H

#include <stdbool.h>

/* A string with its quotes, NULL as null. Bytes that are no UTF-8 become U+FFFD. */
void rs_json_text(const char *text);

/* "key": and then a value; `first` says whether a comma has to come before it. */
void rs_json_key(const char *key, bool first);

#endif
