/*
 * From the bytes of an INI file to a document: inih parses, this watches what it is given.
 *
 * inih as packaged (release 55) says neither where it is nor when a section begins, cuts lines
 * at 200 bytes and section names at 50, drops what follows " ;", and takes every indented line
 * as the continuation of the key above. So each raw line is looked at before inih gets it; what
 * inih would silently cut or misread is a fault with its line.
 */
#ifndef RS_RULES_INI_TEXT_H
#define RS_RULES_INI_TEXT_H

#include "rules/document.h"

/*
 * Add the sections of `text`, which came from `file`, to the document. Both are kept by pointer:
 * values stay where they stand, and get a NUL behind them. text[len] must be there to be written.
 */
void rs_ini_read(struct rs_document *document, const char *file, char *text, size_t len);

#endif
