/* ipc.h - Arrow files: the IPC file format, metadata version 5, written and read.
 *
 *     0        8      "ARROW1", two zeros
 *     8               schema
 *     ...             record batches, then dictionaries
 *     -L-10-8  8      end of stream: ffffffff 00000000
 *     -L-10    L      footer, a flatbuffer: schema, where dictionaries and batches are
 *     -10      4      L, least significant byte first
 *     -6       6      "ARROW1"
 *
 *     message  0      ffffffff, the size of the metadata, the metadata (a flatbuffer), padding,
 *                     then the body: buffers, each at a multiple of 64
 *
 * Written.  Batches have HR_IPC_ROWS rows, whatever those of the stream have; dictionaries hold
 * the values in the order of their first use by a row.  So the bytes depend on the rows alone.
 * Nothing is compressed.
 *
 * Read.  The file is mapped, and batches point into it.  Every offset and length is checked,
 * then each batch as hr_arrow_check() does; no bytes can make a reader leave the map.
 */
#ifndef HR_WIRE_IPC_H
#define HR_WIRE_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"

enum { HR_IPC_ROWS = 16384 };

struct hr_ipc_out;
struct hr_owner;

/* HR_INVALID: a type that is not written (a dictionary of anything but text and bytes). */
hr_status hr_ipc_create(struct hr_env *env, const char *path, const struct ArrowSchema *schema,
                        struct hr_ipc_out **ret);

/* Append rows; takes *rows, also when failing. */
hr_status hr_ipc_add(struct hr_ipc_out *out, struct ArrowArray *rows);

/* Append n rows of a batch that has an owner, by their numbers. */
hr_status hr_ipc_add_rows(struct hr_ipc_out *out, struct hr_owner *owner, const uint32_t *rows,
                          size_t n);

hr_status hr_ipc_end(struct hr_ipc_out *out); /* write the rest, close, free, whatever happens */
void hr_ipc_drop(struct hr_ipc_out *out);     /* close and free; NULL is allowed */

struct hr_ipc;

/* HR_DATA_LOSS: no Arrow file, or damaged; HR_INVALID: compressed, or of a type that is not
 * supported: told with file and column. */
hr_status hr_ipc_open(struct hr_env *env, const char *path, struct hr_ipc **ret);

/* The same over bytes that stay as long as what is read from them; n as of the file. */
hr_status hr_ipc_over(struct hr_env *env, const char *name, const void *bytes, size_t n,
                      struct hr_ipc **ret);

const struct ArrowSchema *hr_ipc_schema(const struct hr_ipc *ipc);
size_t hr_ipc_batches(const struct hr_ipc *ipc);

/* The i-th batch.  It keeps the map, and may outlive hr_ipc_close(). */
hr_status hr_ipc_batch(struct hr_ipc *ipc, size_t i, struct ArrowArray *ret);
void hr_ipc_close(struct hr_ipc *ipc); /* NULL is allowed */

#endif
