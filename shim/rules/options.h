/*
 * RETRYSHIM_OPTIONS: "key=value;key=value", keys of [retryshim] and of [policy default].
 */
#ifndef RS_RULES_OPTIONS_H
#define RS_RULES_OPTIONS_H

#include "rules/document.h"

struct rs_options {
	struct rs_section settings;
	struct rs_section policy;
};

/* Take `text` apart; what is wrong goes to the document's faults. Of a repeated key the last
 * counts, as on a command line. */
void rs_options_read(struct rs_document *document, const char *text, struct rs_options *options);

#endif
