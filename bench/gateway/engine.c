// The benchmark's engine: answers a small JSON, or a stream whose events carry the time at which they were sent.
// A request says what it wants in its prompt, which every proxy passes on: "events=N gap-us=N" (no events: the small JSON).
// Usage: engine. Prints the port it was given.
#include "wire.h"

struct conn {
  char in[16384];
  size_t size;
  long left;
  uint64_t gap_ns, next_ns;
  int usage;
};

static struct conn *conns[MAX_FDS];
static int streaming[MAX_FDS], streams;

static const char json_body[] =
    "{\"id\":\"cmpl-0123456789\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"bench\",\"choices\":"
    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick brown fox jumps over the lazy dog and "
    "then sits down to think about what it has just done, which is a great deal more than most of the foxes of its age "
    "and standing would have done in its place, as everybody who has met one will confirm.\"},\"finish_reason\":"
    "\"stop\"}],\"usage\":{\"prompt_tokens\":57,\"completion_tokens\":52,\"total_tokens\":109}}";

static void end_stream(int fd, struct conn *c) {
  static const char usage[] =
      "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":"
      "\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":57,\"completion_tokens\":52,\"total_tokens\":109}}\n\n";
  char out[1024];
  int n = 0;
  if (c->usage) n = sprintf(out, "%zx\r\n%s\r\n", sizeof usage - 1, usage);
  n += sprintf(out + n, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
  send_all(fd, out, (size_t)n);
  for (int i = 0; i < streams; i++)
    if (streaming[i] == fd) {
      streaming[i] = streaming[--streams];
      break;
    }
}

static void drop(int fd) {
  struct conn *c = conns[fd];
  if (c && c->left > 0) {
    for (int i = 0; i < streams; i++)
      if (streaming[i] == fd) {
        streaming[i] = streaming[--streams];
        break;
      }
  }
  free(c);
  conns[fd] = NULL;
  close(fd);
}

static void send_event(int fd, struct conn *c) {
  char event[512], out[640];
  int size = sprintf(event,
                     "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                     "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" sent=%019llu\"},"
                     "\"finish_reason\":null}]}\n\n",
                     (unsigned long long)now_ns());
  int n = sprintf(out, "%x\r\n%s\r\n", size, event);
  send_all(fd, out, (size_t)n);
  if (--c->left == 0) end_stream(fd, c);
}

static long number_after(const char *head, const char *name) {
  const char *at = strcasestr(head, name);
  return at ? atol(at + strlen(name)) : 0;
}

// Returns the bytes of the request that is whole in the buffer, 0 when more must come.
static size_t whole_request(struct conn *c) {
  c->in[c->size] = 0;
  char *end = strstr(c->in, "\r\n\r\n");
  if (!end) return 0;
  size_t need = (size_t)(end - c->in) + 4 + (size_t)number_after(c->in, "\r\ncontent-length:");
  return c->size >= need ? need : 0;
}

static void answer(int fd, struct conn *c) {
  long events = number_after(c->in, "events=");
  if (events == 0) {
    char out[1024];
    int n = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    sizeof json_body - 1, json_body);
    send_all(fd, out, (size_t)n);
    return;
  }
  static const char head[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  send_all(fd, head, sizeof head - 1);
  c->gap_ns = (uint64_t)number_after(c->in, "gap-us=") * 1000;
  c->usage = strstr(c->in, "include_usage") != NULL;
  c->left = events;
  c->next_ns = now_ns() + c->gap_ns;
  streaming[streams++] = fd;
  send_event(fd, c);
}

static void on_readable(int fd) {
  struct conn *c = conns[fd];
  ssize_t got = recv(fd, c->in + c->size, sizeof c->in - 1 - c->size, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) drop(fd);
    return;
  }
  c->size += (size_t)got;
  size_t used = whole_request(c);
  if (used == 0) return;
  answer(fd, c);
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
    watch(ep, fd);
  }
}

int main(void) {
  raise_file_limit();
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
  struct epoll_event events[256];
  for (;;) {
    int n = epoll_wait(ep, events, 256, streams > 0 ? 1 : -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == server) accept_all(ep, server);
      else if (conns[fd]) on_readable(fd);
    }
    uint64_t now = now_ns();
    for (int i = 0; i < streams; i++) {
      int fd = streaming[i];
      struct conn *c = conns[fd];
      if (c->next_ns > now) continue;
      c->next_ns += c->gap_ns;
      send_event(fd, c);
      if (c->left == 0) i--;
    }
  }
}
