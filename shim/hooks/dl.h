/*
 * dlopen() and dlsym(), so that libraries opened out of the preload's reach are reached; and
 * dlclose(), after which another library may be where a caller of libcurl was.
 *
 * dlopen() loses RTLD_DEEPBIND, which hides every preload, and is otherwise the real one: it is
 * entered by a jump, so that the caller's return address, from which it takes $ORIGIN and RUNPATH,
 * stays. dlsym() of a curl function that is interposed, with the handle of a library, gives the
 * hook, bound to the very libcurl that the handle named; all else is the real one's answer.
 */
#ifndef RS_HOOKS_DL_H
#define RS_HOOKS_DL_H

/* Every curl function that is interposed, without "curl_"; X is applied to each. */
#define RS_CURL_HOOKS(FIRST, X)                                                                    \
	FIRST(easy_cleanup)                                                                        \
	X(easy_duphandle)                                                                          \
	X(easy_getinfo)                                                                            \
	X(easy_header)                                                                             \
	X(easy_init)                                                                               \
	X(easy_nextheader)                                                                         \
	X(easy_pause)                                                                              \
	X(easy_perform)                                                                            \
	X(easy_reset)                                                                              \
	X(easy_setopt)                                                                             \
	X(mime_data_cb)                                                                            \
	X(mime_filedata)                                                                           \
	X(multi_add_handle)                                                                        \
	X(multi_cleanup)                                                                           \
	X(multi_fdset)                                                                             \
	X(multi_info_read)                                                                         \
	X(multi_perform)                                                                           \
	X(multi_poll)                                                                              \
	X(multi_remove_handle)                                                                     \
	X(multi_setopt)                                                                            \
	X(multi_socket)                                                                            \
	X(multi_socket_action)                                                                     \
	X(multi_socket_all)                                                                        \
	X(multi_timeout)                                                                           \
	X(multi_wait)

/* Entry points exist for so many flavours; functions of a further one stay its own. */
#define RS_BOUND_FLAVOURS 4
#define RS_STUB_SIZE      32

#endif
