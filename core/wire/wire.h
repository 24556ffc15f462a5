/* wire.h - the face of core/wire: rows and messages as bytes, and bytes as rows.
 *
 *     arrow.h     batches: checked, compared, owned, cut, gathered; streams
 *     ipc.h       Arrow files
 *     example.h   tf.Example to columns and back
 *     tfrecord.h  files of records
 *     call.h      what calls of row functions have in common
 *     pb.h        protobuf messages and their text and JSON forms
 */
#ifndef HR_WIRE_H
#define HR_WIRE_H

#include "base/base.h"
#include "headrace/arrow.h"

#include "wire/arrow.h"
#include "wire/call.h"
#include "wire/example.h"
#include "wire/ipc.h"
#include "wire/pb.h"
#include "wire/tfrecord.h"

#endif
