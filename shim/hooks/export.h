/* Everything is hidden but what stands in symbols.map; both say so. */
#ifndef RS_HOOKS_EXPORT_H
#define RS_HOOKS_EXPORT_H

#define RS_EXPORT __attribute__((visibility("default")))

#endif
