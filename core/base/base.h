/* base.h - the face of core/base: what every other part of core stands on.
 *
 * Other folders include this one header.  Nothing in base knows a pipeline, a model or a
 * store; only base calls the operating system, through the table in hr_env.
 *
 *     env.h     one context for all calls: memory, OS, errors, limits, threads
 *     status.h  names of codes                    error.h  the list of errors in an env
 *     mem.h     allocation, checked sizes         buf.h    bytes that grow, up to a limit
 *     arena.h   memory that dies at once          text.h   UTF-8, comparing, suggestions
 *     num.h     numbers printed and read          json.h   strict JSON over cJSON
 *     digest.h  SHA-256, CRC-32C, hashes          os.h     the table of OS calls
 *     file.h    whole files and directories       work.h   one function over many items
 *     cpu.h     what the processor can do         stored.h numbers as bytes
 */
#ifndef HR_BASE_H
#define HR_BASE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cpu.h"
#include "base/digest.h"
#include "base/env.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/os.h"
#include "base/status.h"
#include "base/stored.h"
#include "base/text.h"
#include "base/work.h"

#endif
