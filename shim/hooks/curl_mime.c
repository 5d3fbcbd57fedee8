/*
 * Parts of forms, watched for whether they can be sent twice. Those that libcurl makes from an
 * old form may come by here, or not: transfer/form.c looks at the old form itself.
 */
#include <curl/curl.h>
#include <sys/stat.h>

#include "hooks/export.h"
#include "real.h"
#include "transfer/form.h"
#include "transfer/part.h"

RS_EXPORT CURLcode curl_mime_data_cb(curl_mimepart *part, curl_off_t size, curl_read_callback read,
				     curl_seek_callback seek, curl_free_callback release, void *arg)
{
	const struct rs_curl_caller *caller = rs_real_curl(RS_CALLER);
	struct rs_part *ours;
	CURLcode result;

	if (!caller || !caller->api->mime_data_cb)
		return CURLE_FAILED_INIT;
	if (!read || (caller->is_libcurl && read != rs_part_read))
		return caller->api->mime_data_cb(part, size, read, seek, release, arg);
	ours = rs_part_new(read, seek, release, arg);
	if (!ours) {
		rs_form_note_unseekable();
		return caller->api->mime_data_cb(part, size, read, seek, release, arg);
	}
	result = caller->api->mime_data_cb(part, size, rs_part_read, seek ? rs_part_seek : NULL,
					   rs_part_release, ours);
	if (result != CURLE_OK)
		rs_part_drop(ours);
	return result;
}
RS_BINDABLE(curl_mime_data_cb);

RS_EXPORT CURLcode curl_mime_filedata(curl_mimepart *part, const char *name)
{
	const struct rs_curl_caller *caller = rs_real_curl(RS_CALLER);
	struct stat about;

	if (!caller || !caller->api->mime_filedata)
		return CURLE_FAILED_INIT;
	if (name && !caller->is_libcurl && stat(name, &about) == 0 && !S_ISREG(about.st_mode))
		rs_form_note_unseekable();
	return caller->api->mime_filedata(part, name);
}
RS_BINDABLE(curl_mime_filedata);
