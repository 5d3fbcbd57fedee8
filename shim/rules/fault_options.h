/*
 * RETRYSHIM_FAULTS: a fault a line, "key=value,key=value".
 */
#ifndef RS_RULES_FAULT_OPTIONS_H
#define RS_RULES_FAULT_OPTIONS_H

#include "rules/document.h"

/*
 * Append the faults to the document, behind those of the files. A comma begins the next key where
 * a word and '=' follow; any other belongs to the value, as in "port=80,443,status=503".
 * What is wrong goes to the document's faults.
 */
void rs_fault_options_read(struct rs_document *document, const char *text);

#endif
