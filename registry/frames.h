/* frames.h - private to registry: the file of a package as zstd frames (RFC 8878).
 *
 * The tar is cut into pieces of at most 1 MiB, each a frame of its own that tells its size;
 * any zstd reads them as one stream.  A piece that does not shrink is stored in raw blocks, so
 * weights cost a copy.  Frames by themselves give three things: they are made by all threads
 * with equal bytes, reading needs two buffers of known size and no window, and no byte of the
 * file lies outside them - skippable frames, dictionaries and what follows are refused.
 *
 *     28 b5 2f fd  magic     e0 or c0: size in 8 bytes, window given     38: window of 128 KiB
 *     8 bytes size           blocks: 3 bytes of last, type, size; at most 128 KiB
 *
 * A piece begins anew where a section does.  One section may be aligned: it stands at a multiple
 * of 128 KiB of the file, so that it can be written before what comes first is known.  The gap
 * before it is the one skippable frame that is allowed, and has one form only:
 *
 *     50 2a 4d 18  magic     4 bytes size, of what follows     zeros
 *
 * It is absent where nothing is to be skipped, and longer by 128 KiB where less than its head
 * would be.
 */
#ifndef HR_REGISTRY_FRAMES_H
#define HR_REGISTRY_FRAMES_H

#include "base/base.h"
#include "registry/sink.h"

enum {
    HR_FRAME = 1 << 20,
    HR_FRAMES_ALIGN = 1 << 17,
    HR_FRAMES_GAP = HR_FRAMES_ALIGN + 8, /* more than the longest gap */
    HR_FRAMES_SECTIONS = 3               /* of a file, at most */
};

/* The gap that stands at a place of a file: its length, 0 to HR_FRAMES_GAP - 1, and bytes. */
size_t hr_frames_gap(uint64_t place, char *to);

/* -- writing --------------------------------------------------------------- */

struct hr_frames_out;

hr_status hr_frames_create(struct hr_env *env, const char *path, enum hr_sink_from from,
                           struct hr_frames_out **ret);

/* Append bytes.  digest, if not NULL, is told of them too, at the latest when a
 * section begins or the file is closed. */
hr_status hr_frames_add(struct hr_frames_out *out, const void *bytes, size_t n,
                        struct hr_sha256 *digest);

/* Append size bytes of a file that is open, from its start; digest as above.  HR_DATA_LOSS: it has
 * fewer. */
hr_status hr_frames_copy(struct hr_frames_out *out, int fd, const char *path, uint64_t size,
                         struct hr_sha256 *digest);

/* Leave the bytes before the first aligned place for hr_frames_create() with HR_SINK_START. */
hr_status hr_frames_leave(struct hr_frames_out *out);

/* End the frame and the digests so far, and begin a section; one that is aligned. */
hr_status hr_frames_section(struct hr_frames_out *out);
hr_status hr_frames_align(struct hr_frames_out *out);

/* Bytes of the file so far: all, where a section begins. */
uint64_t hr_frames_size(const struct hr_frames_out *out);

/* Bytes that are only stored, in frames of their own: their place in the file depends on
 * their number alone, so they can be written again later. */
hr_status hr_frames_store(struct hr_frames_out *out, const void *bytes, size_t n);

/* What hr_frames_store() has written first into the file, written again: as many bytes.  All of
 * the file is on the disk then. */
hr_status hr_frames_patch(struct hr_env *env, const char *path, const void *bytes, size_t n);

/* Flush, close, free, whatever happens. */
hr_status hr_frames_close(struct hr_frames_out *out);
void hr_frames_drop(struct hr_frames_out *out); /* NULL is allowed */

/* -- reading --------------------------------------------------------------- */

struct hr_frames_in;

hr_status hr_frames_open(struct hr_env *env, const char *path, struct hr_frames_in **ret);

/* The next piece, at most max bytes, valid until the next call; *ret_n is 0 at the end of the
 * file.  HR_DATA_LOSS: told. */
hr_status hr_frames_next(struct hr_frames_in *in, size_t max, const char **ret, size_t *ret_n);

/* n bytes, copied.  HR_DATA_LOSS: the file ends before. */
hr_status hr_frames_take(struct hr_frames_in *in, void *to, size_t n);

/* An aligned section has to begin here.  HR_DATA_LOSS: it does not. */
hr_status hr_frames_aligned(struct hr_frames_in *in);

void hr_frames_free(struct hr_frames_in *in); /* NULL is allowed */

#endif
