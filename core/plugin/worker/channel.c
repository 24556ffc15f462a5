#include "plugin/worker/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "plugin/process.h"

enum { LINE_MAX_BYTES = 16384 };

static int64_t send_some(struct hr_channel *c, const void *bytes, size_t n, int fd)
{
    return c->env->os->send(c->env->os->user, c->socket, bytes, n, fd);
}

static bool put_line(struct hr_channel *c, hr_level level, const char *text)
{
    char packet[LINE_MAX_BYTES + 2];
    size_t n = strlen(text);

    n = n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES;
    n = hr_utf8_valid(text, n);
    packet[0] = 'L';
    packet[1] = (char)('0' + (level >= HR_DEBUG && level <= HR_ERROR ? level : HR_INFO));
    memcpy(packet + 2, text, n);
    return send_some(c, packet, n + 2, -1) >= 0;
}

void hr_channel_log(struct hr_channel *c, hr_level level, const char *text)
{
    int lost = __atomic_exchange_n(&c->lost, 0, __ATOMIC_RELAXED);
    char note[64];

    if (lost) {
        snprintf(note, sizeof note, "(%d lines were dropped here)", lost);
        if (!put_line(c, HR_WARN, note)) {
            __atomic_add_fetch(&c->lost, lost + 1, __ATOMIC_RELAXED);
            return;
        }
    }
    if (!put_line(c, level, text))
        __atomic_add_fetch(&c->lost, 1, __ATOMIC_RELAXED);
}

void hr_channel_progress(struct hr_channel *c, double done, double total, const char *unit)
{
    char packet[17 + 64];
    size_t n = unit ? strlen(unit) : 0;

    n = n < 64 ? n : 63;
    packet[0] = 'P';
    memcpy(packet + 1, &done, 8);
    memcpy(packet + 9, &total, 8);
    if (n)
        memcpy(packet + 17, unit, n);
    send_some(c, packet, 17 + n, -1);
}

/* What must arrive: also where the kernel is short of memory for a moment. */
static void send_waiting(struct hr_channel *c, const void *bytes, size_t n, int fd)
{
    struct pollfd p = { c->socket, 0, 0 };
    int64_t sent;

    while ((sent = send_some(c, bytes, n, fd)) == -EAGAIN || sent == -ENOBUFS || sent == -ENOMEM) {
        p.events = sent == -EAGAIN ? POLLOUT : 0;
        c->env->os->poll(c->env->os->user, &p, 1, 100);
    }
}

void hr_channel_walls(struct hr_channel *c, const char *text)
{
    char packet[512];
    int n = snprintf(packet, sizeof packet, "W%s", text);

    if (n > 0)
        send_waiting(c, packet, (size_t)n < sizeof packet ? (size_t)n : sizeof packet - 1, -1);
}

bool hr_channel_result(struct hr_channel *c, const char *text, size_t n)
{
    char packet[HR_MAX_PACKET];
    const struct hr_os *os = c->env->os;
    int fd;

    packet[0] = 'R';
    if (n < HR_MAX_PACKET) {
        memcpy(packet + 1, text, n);
        send_waiting(c, packet, n + 1, -1);
        return true;
    }
    if ((fd = os->memfd(os->user, "result")) < 0)
        return false;
    while (n) {
        int64_t w = os->write(os->user, fd, text, n);

        if (w < 0)
            break;
        text += w;
        n -= (size_t)w;
    }
    if (!n)
        send_waiting(c, packet, 1, fd);
    os->close(os->user, fd);
    return !n;
}
