/* The least that can be preloaded: what the shim's start is compared with. */
extern int rs_bench_empty;
int rs_bench_empty;
