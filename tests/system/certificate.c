#include "certificate.h"

#include "harness.h"

struct certificate certificate_make(void)
{
	struct certificate made = { temp_path("cert.pem"), temp_path("key.pem") };
	struct run run =
		run_words(RUN_BARE, NULL, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
			  "/CN=localhost", "-keyout", made.key, "-out", made.certificate);

	assert_exit(run, 0);
	run_free(&run);
	return made;
}
