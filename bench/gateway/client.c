// The benchmark's client: keeps CONNS connections busy with the same request for SECONDS, then says what it saw.
// Usage: client PORT CONNS SECONDS EVENTS GAP_US [again|once [HEADERS]]. Prints one JSON object; times in microseconds.
// With GAP_US the starts are spread over one gap, so that the streams do not beat in step. With "once" a connection
// makes one request, and the client ends with the last of them. HEADERS: lines for the request, each with its CRLF.
#include "wire.h"

#define BUCKETS 400000
#define BUCKET_NS 5000ull

struct conn {
  int fd;
  uint64_t start_ns;
  int waiting, first;
  size_t size;
  char in[65536];
};

static struct conn *conns;
static int count, port;
static long events;
static char request[4096];
static size_t request_size;
static uint64_t delays[BUCKETS], firsts[BUCKETS];
static uint64_t done, ended, seen, failed, delay_n, first_n;

static void note(uint64_t *buckets, uint64_t *n, uint64_t ns) {
  uint64_t at = ns / BUCKET_NS;
  buckets[at < BUCKETS ? at : BUCKETS - 1]++;
  (*n)++;
}

static double percentile(const uint64_t *buckets, uint64_t n, double p) {
  uint64_t want = (uint64_t)((double)n * p), sum = 0;
  for (int i = 0; i < BUCKETS; i++) {
    sum += buckets[i];
    if (sum > want) return ((double)i + 0.5) * BUCKET_NS / 1000.0;
  }
  return 0;
}

static void dial(int ep, struct conn *c) {
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c->fd, (struct sockaddr *)&at, sizeof at)) {
    perror("connect");
    exit(1);
  }
  set_up(c->fd);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
}

static void start(struct conn *c) {
  c->size = 0;
  c->waiting = c->first = 1;
  c->start_ns = now_ns();
  send_all(c->fd, request, request_size);
}

// The reply in the buffer is whole: by its length, or by the end of its chunks.
static int is_whole(const struct conn *c) {
  if (events > 0) return c->size >= 7 && memcmp(c->in + c->size - 7, "\r\n0\r\n\r\n", 7) == 0;
  const char *end = memmem(c->in, c->size, "\r\n\r\n", 4);
  if (!end) return 0;
  const char *coding = strcasestr(c->in, "transfer-encoding:");
  if (coding && coding < end) return memcmp(c->in + c->size - 7, "\r\n0\r\n\r\n", 7) == 0;
  const char *length = strcasestr(c->in, "content-length:");
  return length && length < end && c->size >= (size_t)(end - c->in) + 4 + (size_t)atol(length + 15);
}

// Reads the times out of the events, and keeps what may be the start of the next one.
static void read_events(struct conn *c, uint64_t now) {
  static const char key[] = "sent=";
  char *at = c->in, *limit = c->in + c->size, *found;
  while ((found = memmem(at, (size_t)(limit - at), key, sizeof key - 1)) && found + 24 <= limit) {
    uint64_t sent = strtoull(found + sizeof key - 1, NULL, 10);
    note(delays, &delay_n, now > sent ? now - sent : 0);
    if (c->first) note(firsts, &first_n, now - c->start_ns);
    c->first = 0;
    seen++;
    at = found + 24;
  }
  size_t keep = (size_t)(limit - at) < 300 ? (size_t)(limit - at) : 300;
  memmove(c->in, limit - keep, keep);
  c->size = keep;
}

static void on_readable(int ep, struct conn *c, int again) {
  ssize_t got = recv(c->fd, c->in + c->size, sizeof c->in - 1 - c->size, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    failed += (uint64_t)c->waiting;
    c->waiting = 0;
    close(c->fd);
    if (!again) return;
    dial(ep, c);
    start(c);
    return;
  }
  uint64_t now = now_ns();
  c->size += (size_t)got;
  c->in[c->size] = 0;
  if (strncmp(c->in, "HTTP/1.1 ", 9) == 0 && strncmp(c->in + 9, "200", 3) != 0) failed++;
  int whole = is_whole(c);
  if (events > 0) read_events(c, now);
  if (!whole) return;
  if (c->waiting) ended++;
  done++;
  if (events == 0) note(firsts, &first_n, now - c->start_ns);
  c->waiting = 0;
  if (again) start(c);
}

static void prepare(long gap_us, const char *headers) {
  char body[1024], padding[420];
  memset(padding, 'x', sizeof padding - 1);
  padding[sizeof padding - 1] = 0;
  int size = sprintf(body, "{\"model\":\"bench\",\"messages\":[{\"role\":\"user\",\"content\":\"events=%ld gap-us=%ld %s\"}],\"temperature\":0.7,"
                           "\"max_tokens\":64%s}", events, gap_us, padding,
                     events > 0 ? ",\"stream\":true" : "");
  request_size = (size_t)sprintf(request,
      "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer "
      "bench-key\r\nUser-Agent: bench\r\nAccept: */*\r\n%sContent-Length: %d\r\n\r\n%s",
      headers, size, body);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  port = atoi(argv[1]);
  count = atoi(argv[2]);
  events = atol(argv[4]);
  long gap_us = atol(argv[5]);
  int again = argc < 7 || strcmp(argv[6], "once") != 0;
  raise_file_limit();
  prepare(gap_us, argc > 7 ? argv[7] : "");
  conns = calloc((size_t)count, sizeof(struct conn));
  int ep = epoll_create1(0), begun = 0;
  uint64_t from = now_ns(), until = from + (uint64_t)(atof(argv[3]) * 1e9);
  uint64_t step = gap_us > 0 ? (uint64_t)gap_us * 1000 / (uint64_t)count : 0;
  struct epoll_event ready[256];
  for (uint64_t now = from; now < until && (again || ended + failed < (uint64_t)count); now = now_ns()) {
    while (begun < count && now >= from + step * (uint64_t)begun) {
      dial(ep, &conns[begun]);
      start(&conns[begun++]);
    }
    int n = epoll_wait(ep, ready, 256, begun < count ? 1 : 20);
    for (int i = 0; i < n; i++) on_readable(ep, ready[i].data.ptr, again);
  }
  double seconds = (double)(now_ns() - from) / 1e9;
  printf("{\"seconds\":%.3f,\"replies\":%llu,\"events\":%llu,\"failed\":%llu,\"first_p50\":%.1f,\"first_p99\":%.1f,"
         "\"delay_p50\":%.1f,\"delay_p99\":%.1f}\n",
         seconds, (unsigned long long)done, (unsigned long long)seen, (unsigned long long)failed,
         percentile(firsts, first_n, 0.5), percentile(firsts, first_n, 0.99), percentile(delays, delay_n, 0.5),
         percentile(delays, delay_n, 0.99));
  return 0;
}
