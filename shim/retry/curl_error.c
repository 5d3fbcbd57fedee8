#include "retry/curl_error.h"

#include <curl/curl.h>
#include <errno.h>

bool rs_curl_error_before_request(int code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return true;
	default:
		return false;
	}
}

int rs_curl_error_of_errno(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return CURLE_OPERATION_TIMEDOUT;
	case ECONNRESET:
	case ECONNABORTED:
	case ENETRESET:
		return CURLE_RECV_ERROR;
	case EPIPE:
		return CURLE_SEND_ERROR;
	default:
		return CURLE_COULDNT_CONNECT;
	}
}

int rs_curl_error_of_look_up(void)
{
	return CURLE_COULDNT_RESOLVE_HOST;
}
