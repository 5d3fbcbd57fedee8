#include "retry/ending.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>

bool rs_connect_is_failure(int error)
{
	return error != EINPROGRESS && error != EALREADY && error != EISCONN && error != EINTR &&
	       error != EFAULT && error != EBADF;
}

bool rs_look_up_is_failure(int eai, int sys_errno)
{
	return eai != 0 && !(eai == EAI_SYSTEM && sys_errno == ERANGE);
}

bool rs_curl_error_is_programs(int code)
{
	return code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_READ_ERROR ||
	       code == CURLE_WRITE_ERROR || code == CURLE_CHUNK_FAILED;
}

bool rs_ending_is_judged(enum rs_call call, const struct rs_outcome *outcome)
{
	switch (call) {
	case RS_CALL_CONNECT:
		return rs_connect_is_failure(outcome->sys_errno);
	case RS_CALL_RESOLVE:
		return rs_look_up_is_failure(outcome->error, outcome->sys_errno);
	case RS_CALL_CURL:
		break;
	}
	return !rs_curl_error_is_programs(outcome->error);
}
