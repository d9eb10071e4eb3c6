// A model server that plays prepared answers on an absolute schedule and logs when it really wrote what: the truth for
// every load generator that is measured. It must cost less than they do, and be more punctual than an event loop.
// Usage: truth SCRIPT LOG. Prints the port it was given; ends on SIGTERM, when the log is whole.
//
// SCRIPT: "slots N spread-us N whole N", then for each case "case NAME STATUS CONTENT-TYPE ENDING HOLD-US WRITES" and for each
// write "AT-US TOKENS LENGTH" and its bytes. A request names its case by "case=NAME" in its prompt;
// streams that name none get the cases in turn; so do, where "whole" is 1, others that ask for 20 tokens.
// LOG: for each request one line: number, case, when it was read, when its answer began, then TIME:TOKENS of each write
// that carries tokens, in µs of the monotonic clock. Its number stands in the answer's id.
#include "../gateway/wire.h"

#define MAX_CASES 64
#define MAX_WRITES 4096

struct step {
  uint64_t at_us;
  int tokens;
  size_t size;
  char *bytes, *stamp, *number;
};
struct play {
  char name[32], type[64], ending[16];
  int status, steps;
  uint64_t hold_us;
  struct step *step;
};
struct conn {
  char in[65536];
  size_t size;
  int fd, next, busy, logged;
  long number;
  const struct play *play;
  uint64_t begun_us, recv_us, due_us;
  uint64_t sent[MAX_WRITES];
};

static struct play plays[MAX_CASES];
static int play_count, slots, whole, running, waiting_count, active_count;
static uint64_t spread_us;
static struct conn *conns[MAX_FDS], *active[MAX_FDS], *waiting[MAX_FDS];
static long requests, events;
static FILE *logged;
static volatile sig_atomic_t over;

static uint64_t now_us(void) { return now_ns() / 1000; }

static void read_script(const char *path) {
  FILE *in = fopen(path, "r");
  if (!in || fscanf(in, "slots %d spread-us %lu whole %d ", &slots, &spread_us, &whole) != 3) exit(2);
  struct play *p = plays;
  while (play_count < MAX_CASES && fscanf(in, "case %31s %d %63s %15s %lu %d ", p->name, &p->status, p->type, p->ending,
                                          &p->hold_us, &p->steps) == 6) {
    p->step = calloc((size_t)p->steps, sizeof(struct step));
    for (int i = 0; i < p->steps; i++) {
      struct step *s = p->step + i;
      if (fscanf(in, "%lu %d %zu", &s->at_us, &s->tokens, &s->size) != 3 || fgetc(in) != '\n') exit(2);
      s->bytes = calloc(s->size + 1, 1);
      if (fread(s->bytes, 1, s->size, in) != s->size) exit(2);
      s->stamp = memmem(s->bytes, s->size, "################", 16);
      s->number = memmem(s->bytes, s->size, "@@@@@@@@", 8);
    }
    if (fscanf(in, " ") < 0) {}
    p = plays + ++play_count;
  }
  fclose(in);
}

static void begin(struct conn *c) {
  running++;
  c->begun_us = now_us();
  c->next = 0;
  c->due_us = c->begun_us + (spread_us ? (uint64_t)c->number * 7919 % spread_us : 0);
  active[active_count++] = c;
}

static void log_request(struct conn *c) {
  if (c->logged) return;
  c->logged = 1;
  fprintf(logged, "%ld %s %lu %lu", c->number, c->play->name, c->recv_us, c->begun_us);
  for (int i = 0; i < c->next; i++)
    if (c->play->step[i].tokens) fprintf(logged, " %lu:%d", c->sent[i], c->play->step[i].tokens);
  fputc('\n', logged);
}

static void retire(struct conn *c) {
  for (int i = 0; i < active_count; i++)
    if (active[i] == c) {
      active[i] = active[--active_count];
      running--;
      break;
    }
  for (int i = 0; i < waiting_count; i++)
    if (waiting[i] == c) {
      memmove(waiting + i, waiting + i + 1, sizeof *waiting * (size_t)(--waiting_count - i));
      break;
    }
  if (c->busy) log_request(c);
  c->busy = 0;
  if (waiting_count > 0 && (slots == 0 || running < slots)) {
    struct conn *next = waiting[0];
    memmove(waiting, waiting + 1, sizeof *waiting * (size_t)--waiting_count);
    begin(next);
  }
}

static void drop(struct conn *c) {
  retire(c);
  conns[c->fd] = NULL;
  close(c->fd);
  free(c);
}

static int is_stream(const struct play *p) { return strstr(p->type, "event-stream") != NULL; }

static void put_digits(char *at, int width, uint64_t value) {
  for (int i = width - 1; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
}

// Head and first bytes go out together when both are due, as they do from the usual servers.
static void write_step(struct conn *c) {
  static char out[1 << 20];
  const struct play *p = c->play;
  const struct step *s = p->step + c->next;
  int n = 0;
  if (c->next == 0)
    n = is_stream(p) ? sprintf(out, "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", p->status, p->type)
                     : sprintf(out, "HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", p->status, p->type, s->size);
  if (is_stream(p)) n += sprintf(out + n, "%zx\r\n", s->size);
  memcpy(out + n, s->bytes, s->size);
  if (s->number) put_digits(out + n + (s->number - s->bytes), 8, (uint64_t)c->number);
  c->sent[c->next] = now_us();
  if (s->stamp) put_digits(out + n + (s->stamp - s->bytes), 16, c->sent[c->next]);
  n += (int)s->size;
  if (is_stream(p)) n += sprintf(out + n, "\r\n");
  send_all(c->fd, out, (size_t)n);
  if (s->tokens) events++;
  c->next++;
}

static void finish(struct conn *c) {
  const char *ending = c->play->ending;
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  if (!strcmp(ending, "end")) {
    if (is_stream(c->play)) send_all(c->fd, "0\r\n\r\n", 5);
    retire(c);
    return;
  }
  if (!strcmp(ending, "reset")) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  drop(c);
}

// Plays what is due; returns when the next write is.
static uint64_t play_due(void) {
  uint64_t next = UINT64_MAX;
  for (int i = 0; i < active_count; i++) {
    struct conn *c = active[i];
    const struct play *p = c->play;
    int count = active_count;
    for (;;) {
      int ended = c->next == p->steps;
      // What was written before an end by force must arrive before it.
      uint64_t wait = p->hold_us + (strcmp(p->ending, "end") ? 20000 : 0);
      uint64_t at = ended ? (p->steps ? p->step[p->steps - 1].at_us : 0) + wait : p->step[c->next].at_us;
      if (ended && !strcmp(p->ending, "hang")) break;
      if (c->due_us + at > now_us()) {
        if (c->due_us + at < next) next = c->due_us + at;
        break;
      }
      if (!ended) write_step(c);
      else {
        finish(c);
        i--;
        break;
      }
    }
    if (active_count > count) next = 0;
  }
  return next;
}

static void plain(struct conn *c, const char *body) {
  char out[512];
  int n = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  send_all(c->fd, out, (size_t)n);
}

static int says(struct conn *c, const char *key, const char *value) {
  char close[64], apart[64];
  snprintf(close, sizeof close, "%s\":%s", key, value);
  snprintf(apart, sizeof apart, "%s\": %s", key, value);
  return strstr(c->in, close) || strstr(c->in, apart);
}

// max_tokens or max_completion_tokens.
static int asks_for_20(struct conn *c) { return says(c, "_tokens", "20"); }

static void answer(struct conn *c) {
  char name[32] = "", body[256];
  const char *at = strstr(c->in, "case=");
  if (at) sscanf(at + 5, "%31[a-z0-9-]", name);
  // Who cannot be told what to ask for gets the cases in turn; a question that wants no stream is a look around.
  if (!at && !strncmp(c->in, "POST", 4) && (says(c, "stream", "true") || (whole && asks_for_20(c)))) {
    strcpy(name, plays[requests % play_count].name);
    at = name;
  }
  if (strncmp(c->in, "POST", 4) || !at) {
    snprintf(body, sizeof body,
             strstr(c->in, "/stats") ? "{\"requests\":%ld,\"events\":%ld,\"open\":%d,\"now\":%lu}"
                                     : "{\"object\":\"list\",\"data\":[{\"id\":\"truth\",\"object\":\"model\"}]}",
             requests, events, active_count + waiting_count, now_us());
    plain(c, body);
    return;
  }
  for (int i = 0; i < play_count; i++)
    if (!strcmp(plays[i].name, name)) {
      c->play = plays + i;
      c->number = ++requests;
      c->recv_us = c->begun_us = now_us();
      c->busy = 1;
      c->logged = c->next = 0;
      if (slots > 0 && running >= slots) waiting[waiting_count++] = c;
      else begin(c);
      return;
    }
  plain(c, "{}");
}

static size_t whole_request(struct conn *c) {
  c->in[c->size] = 0;
  char *end = strstr(c->in, "\r\n\r\n");
  if (!end) return 0;
  const char *length = strcasestr(c->in, "\r\ncontent-length:");
  size_t need = (size_t)(end - c->in) + 4 + (length && length < end ? (size_t)atol(length + 17) : 0);
  return c->size >= need ? need : 0;
}

static void on_readable(struct conn *c) {
  ssize_t got = recv(c->fd, c->in + c->size, sizeof c->in - 1 - c->size, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) drop(c);
    return;
  }
  c->size += (size_t)got;
  size_t used = whole_request(c);
  if (used == 0) return;
  answer(c);
  memmove(c->in, c->in + used, c->size - used);
  c->size -= used;
}

static void accept_all(int ep, int server) {
  int fd;
  while ((fd = accept(server, NULL, NULL)) >= 0) {
    if (fd >= MAX_FDS) {
      close(fd);
      continue;
    }
    set_up(fd);
    conns[fd] = calloc(1, sizeof(struct conn));
    conns[fd]->fd = fd;
    watch(ep, fd);
  }
}

static void on_term(int signal) {
  (void)signal;
  over = 1;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  read_script(argv[1]);
  logged = fopen(argv[2], "w");
  if (!logged) return 2;
  raise_file_limit();
  signal(SIGTERM, on_term);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 4096)) return 1;
  getsockname(server, (struct sockaddr *)&at, &length);
  fcntl(server, F_SETFL, O_NONBLOCK);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  int ep = epoll_create1(0);
  watch(ep, server);
  struct epoll_event ready[256];
  while (!over) {
    uint64_t next = play_due(), now = now_us();
    uint64_t wait = next == UINT64_MAX ? 100000 : next > now ? next - now : 0;
    struct timespec limit = {.tv_sec = (time_t)(wait / 1000000), .tv_nsec = (long)(wait % 1000000) * 1000};
    int n = epoll_pwait2(ep, ready, 256, &limit, NULL);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      if (fd == server) accept_all(ep, server);
      else if (conns[fd]) on_readable(conns[fd]);
    }
  }
  for (int fd = 0; fd < MAX_FDS; fd++)
    if (conns[fd] && conns[fd]->busy) log_request(conns[fd]);
  fclose(logged);
  return 0;
}
