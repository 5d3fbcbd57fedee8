#include "transfer/amend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transfer/exchange.h"

/* How long a header's name is: up to ':', or ';' by which libcurl marks one without a value. */
static size_t name_len(const char *header)
{
	return strcspn(header, ":;");
}

static bool same_name(const char *header, const char *edit)
{
	size_t len = name_len(edit);

	return name_len(header) == len && strncasecmp(header, edit, len) == 0;
}

static bool is_header_edit(const struct rs_edit *edit)
{
	return edit->kind != RS_EDIT_SET_URL;
}

/* Does an edit from number `from` on speak of the same header? */
static bool is_edited(const char *header, const struct rs_edits *edits, size_t from)
{
	for (size_t i = from; i < edits->count; i++) {
		if (is_header_edit(&edits->at[i]) && same_name(header, edits->at[i].text))
			return true;
	}
	return false;
}

/* In libcurl's own language: "Name: value" sets, "Name;" sets to nothing, "Name:" removes also what
 * libcurl would have sent by itself. */
static void write_header(const struct rs_edit *edit, char *text, size_t size)
{
	size_t name = name_len(edit->text);
	bool empty = edit->text[name] == ':' &&
		     !edit->text[name + 1 + strspn(edit->text + name + 1, " \t")];

	if (edit->kind == RS_EDIT_REMOVE_HEADER)
		snprintf(text, size, "%s:", edit->text);
	else if (empty)
		snprintf(text, size, "%.*s;", (int)name, edit->text);
	else
		snprintf(text, size, "%s", edit->text);
}

/* The bytes that a changed list needs: a node a line, then the texts of the new ones. */
static size_t room_for(const struct curl_slist *list, const struct rs_edits *edits)
{
	size_t room = 0;

	for (; list; list = list->next)
		room += sizeof(*list) + strlen(list->data) + 1;
	for (size_t i = 0; i < edits->count; i++)
		room += sizeof(*list) + strlen(edits->at[i].text) + 2;
	return room;
}

struct builder {
	struct curl_slist *node; /* the next free one */
	char *text;              /* room for texts */
	char *end;
	struct curl_slist **link; /* where the next node is hung */
};

static void add(struct builder *builder, const char *data)
{
	struct curl_slist *node = builder->node++;

	node->data = (char *)data;
	node->next = NULL;
	*builder->link = node;
	builder->link = &node->next;
}

/* Texts are copied: those of a former change are about to be released. */
static const char *copied(struct builder *builder, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = builder->text;

	memcpy(copy, text, size);
	builder->text += size;
	return copy;
}

static size_t count_nodes(const struct curl_slist *list, const struct rs_edits *edits)
{
	size_t count = edits->count;

	for (; list; list = list->next)
		count++;
	return count;
}

static void build(struct builder *builder, const struct curl_slist *list,
		  const struct rs_edits *edits)
{
	for (; list; list = list->next) {
		if (!is_edited(list->data, edits, 0))
			add(builder, copied(builder, list->data));
	}
	for (size_t i = 0; i < edits->count; i++) {
		const struct rs_edit *edit = &edits->at[i];
		char *text = builder->text;

		/* Of several edits of a header the last one counts. */
		if (!is_header_edit(edit) || is_edited(edit->text, edits, i + 1))
			continue;
		write_header(edit, text, (size_t)(builder->end - text));
		builder->text += strlen(text) + 1;
		add(builder, text);
	}
}

static bool any_header(const struct rs_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++) {
		if (is_header_edit(&edits->at[i]))
			return true;
	}
	return false;
}

static bool amend_headers(struct rs_exchange *x, const struct rs_edits *edits)
{
	struct rs_amended *amended = &x->amended;
	const struct curl_slist *list = rs_amended_headers(x);
	size_t room = room_for(list, edits);
	struct curl_slist *nodes = malloc(room);
	struct curl_slist *head = NULL;
	struct builder builder = { .node = nodes, .link = &head };

	if (!nodes)
		return false;
	builder.text = (char *)(nodes + count_nodes(list, edits));
	builder.end = (char *)nodes + room;
	build(&builder, list, edits);
	x->handle->api->easy_setopt(x->handle->easy, CURLOPT_HTTPHEADER, head);
	free(amended->nodes);
	amended->nodes = nodes;
	amended->header_list = head;
	amended->headers = true;
	return true;
}

/* A URL of the program's that is a CURLU handle, or a port apart from it, would win over ours. */
static bool amend_url(struct rs_exchange *x, const char *url)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;
	char *copy = o->url.lost ? NULL : strdup(url); /* the program's has to be set again */

	if (!copy)
		return false;
	if (o->curlu)
		set(easy, CURLOPT_CURLU, NULL);
	if (o->port)
		set(easy, CURLOPT_PORT, 0L);
	set(easy, CURLOPT_URL, copy);
	free(x->amended.url);
	x->amended.url = copy;
	x->has_target = false;
	return true;
}

bool rs_amend(struct rs_exchange *x, const struct rs_edits *edits)
{
	const char *url = rs_edits_url(edits);

	x->replaced_more = true;
	return (!url || amend_url(x, url)) && (!any_header(edits) || amend_headers(x, edits));
}

struct curl_slist *rs_amended_headers(const struct rs_exchange *x)
{
	return x->amended.headers ? x->amended.header_list : x->handle->options.header_list;
}

void rs_amended_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	if (x->amended.headers)
		set(easy, CURLOPT_HTTPHEADER, o->header_list);
	if (!x->amended.url)
		return;
	set(easy, CURLOPT_URL, o->url.text);
	if (o->port)
		set(easy, CURLOPT_PORT, o->port);
	if (o->curlu)
		set(easy, CURLOPT_CURLU, o->curlu);
}

void rs_amended_end(struct rs_amended *amended)
{
	free(amended->nodes);
	free(amended->url);
	*amended = (struct rs_amended){ .url = NULL };
}
