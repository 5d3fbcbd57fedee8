/* Found by dl-case through its RUNPATH, $ORIGIN/plugins, alone. */
const char *here(void);

__attribute__((visibility("default"))) const char *here(void)
{
	return "here";
}
