/** A change of one place in the source that breaks one of the gateway's rules; the tests titled "rule N: …" must notice. */
export interface Mutation {
  readonly rule: number;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly search: string;
  readonly replace: string;
}

const gateway = 'src/gateway';

export const mutations: readonly Mutation[] = [
  {
    rule: 1,
    file: `${gateway}/upstream/attempt.ts`,
    search: '    this.#exchange.abort();\n    if (this.#writer && !this.#call.gone)',
    replace: '    if (this.#writer && !this.#call.gone)',
  },
  {
    rule: 2,
    file: `${gateway}/upstream/attempt.ts`,
    search: "verdict: Verdict = 'untold'",
    replace: "verdict: Verdict = 'broke'",
  },
  {
    rule: 3,
    file: `${gateway}/admission/lease.ts`,
    search: 'this.instance.inflight -= 1;',
    replace: 'if (Math.random() < 0.5) this.instance.inflight -= 1;',
  },
  {
    rule: 3,
    file: `${gateway}/upstream/forward.ts`,
    search: "    this.#giveBack();\n    if (end.kind === 'lost' && end.reason === 'reset')",
    replace:
      "    if (end.kind !== 'failed') this.#giveBack();\n    if (end.kind === 'lost' && end.reason === 'reset')",
  },
  {
    rule: 4,
    file: `${gateway}/upstream/headers.ts`,
    search: "'X-Accel-Buffering', 'no'",
    replace: "'X-Accel-Buffering', 'yes'",
  },
  {
    rule: 4,
    file: `${gateway}/upstream/attempt.ts`,
    search: '    this.#exchange.pause();\n    const callOff',
    replace: '    const callOff',
  },
  {
    rule: 5,
    file: 'src/io/upstream-pool/chunked.ts',
    search: 'this.#remaining * 16 + digit',
    replace: 'this.#remaining * 10 + digit',
  },
  {
    rule: 5,
    file: `${gateway}/reply/event-filter.ts`,
    search: 'if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;',
    replace: '',
  },
  {
    rule: 6,
    file: `${gateway}/reply/reply-writer.ts`,
    search: '    this.#payload(Buffer.from(event));',
    replace: "    this.#payload(Buffer.from('data: [DONE]\\n\\n'));",
  },
  {
    rule: 6,
    file: `${gateway}/upstream/attempt.ts`,
    search: 'if (!this.eventStream || !writer.endWith(event)) this.#call.reply.abort();',
    replace:
      'if (!this.eventStream) writer.end();\n    else if (!writer.endWith(event)) this.#call.reply.abort();',
  },
  {
    rule: 7,
    file: `${gateway}/upstream/retry-budget.ts`,
    search: 'this.#saved -= 1;',
    replace: 'this.#saved -= 0;',
  },
  {
    rule: 7,
    file: `${gateway}/upstream/attempt.ts`,
    search: 'head.status === 502 || head.status === 503 || head.status === 429',
    replace: 'head.status >= 400',
  },
  {
    rule: 7,
    file: `${gateway}/upstream/attempt.ts`,
    search: "const lost = this.verdict === 'connect-failed' || kind === 'reset';",
    replace: 'const lost = true;',
  },
  {
    rule: 7,
    file: `${gateway}/routing/serve-route.ts`,
    search: "return call.resets <= 1 ? 'unreachable' : null;",
    replace: "return 'unreachable';",
  },
  {
    rule: 7,
    file: `${gateway}/routing/serve-route.ts`,
    search: "return call.resets <= 1 ? 'unreachable' : null;",
    replace: 'return null;',
  },
  {
    rule: 8,
    file: 'src/io/upstream-pool/pool.ts',
    search: "kind === 'reset' && connection.untouched && connection.served > 0",
    replace: "kind === 'malformed' && connection.untouched && connection.served > 0",
  },
  {
    rule: 8,
    file: 'src/io/upstream-pool/pool.ts',
    search: 'let kept = this.#unused.pop(); kept; kept = this.#unused.pop()',
    replace: 'let kept = this.#unused.shift(); kept; kept = this.#unused.shift()',
  },
  {
    rule: 9,
    file: 'src/io/upstream-pool/pool.ts',
    search: 'connection.begun && !connection.job?.paused && waited > idleMs',
    replace: '!connection.job?.paused && waited > idleMs',
  },
  {
    rule: 9,
    file: 'src/io/upstream-pool/pool.ts',
    search: 'connection.connecting && waited > connectMs',
    replace: 'connection.connecting && waited > connectMs * 100',
  },
  {
    rule: 10,
    file: `${gateway}/reply/commented-reply.ts`,
    search: 'else if (!isEventStream([...(options?.common?.list ?? []), ...rawHeaders])) this.#plain = [];',
    replace: '',
  },
  {
    rule: 10,
    file: `${gateway}/routing/serve-model.ts`,
    search: '  if (call.reply instanceof CommentedReply) call.reply.stop();\n',
    replace: '',
  },
  {
    rule: 11,
    file: 'src/domain/openai.ts',
    search: 'param: fault.param ?? null,',
    replace: '',
  },
  {
    rule: 11,
    file: 'src/domain/openai.ts',
    search: 'param: fault.param ?? null,',
    replace: "param: fault.param ?? null,\n    origin: 'gateway',",
  },
  {
    rule: 12,
    file: `${gateway}/reply/send-fault.ts`,
    search: "['Retry-After', String(fault.retryAfter)]",
    replace: '[]',
  },
  {
    rule: 13,
    file: `${gateway}/routing/serve-model.ts`,
    search: 'call.reservation?.settle(call.spent, call.trail.deployment);',
    replace: 'call.reservation?.settle({ input: 0, output: 0 });',
  },
  {
    rule: 14,
    file: `${gateway}/reply/event-filter.ts`,
    search: 'end >= 0 && this.#stripUsage && isUsageEvent(event)',
    replace: 'end >= 0 && !this.#stripUsage && isUsageEvent(event)',
  },
  {
    rule: 14,
    file: `${gateway}/front/request-body.ts`,
    search: "if (inner.toString('latin1', found.start, found.end) === 'true') return null;",
    replace: 'return null;',
  },
  {
    rule: 14,
    file: `${gateway}/reply/reply-writer.ts`,
    search: 'if (this.#verbatim && read.whole) return',
    replace: 'if (this.#verbatim && read.whole && read.last) return',
  },
  {
    rule: 14,
    file: `${gateway}/reply/event-filter.ts`,
    search: 'const hold = end < 0 && !mayPass(event);',
    replace: 'const hold = end < 0 && event.length > 8 && !mayPass(event);',
  },
  {
    rule: 15,
    file: `${gateway}/upstream/header-blocks.ts`,
    search: "'x-berth-model'",
    replace: "'x-model'",
  },
  {
    rule: 16,
    file: `${gateway}/front/request-body.ts`,
    search: 'return text.slice(0, start) + latin1 + text.slice(end);',
    replace: 'return text.slice(0, start).trim() + latin1 + text.slice(end);',
  },
  {
    rule: 17,
    file: `${gateway}/front/scan.ts`,
    search: 'if (key < lax && (spans[2 * key] as number) >= 0)',
    replace: 'if (key < lax && (spans[2 * key] as number) > 9e9)',
  },
  {
    rule: 18,
    file: `${gateway}/upstream/headers.ts`,
    search: "  'authorization',\n",
    replace: '',
  },
  {
    rule: 18,
    file: `${gateway}/upstream/headers.ts`,
    search: "  'set-cookie',\n",
    replace: '',
  },
  {
    rule: 18,
    file: `${gateway}/upstream/headers.ts`,
    search: "  'x-api-key',\n",
    replace: '',
  },
  {
    rule: 19,
    file: `${gateway}/admission/held-bytes.ts`,
    search: 'return this.total + bytes <= this.limit;',
    replace: 'return bytes <= this.limit;',
  },
  {
    rule: 19,
    file: `${gateway}/routing/deployment.ts`,
    search: '      this.#queuedBytes -= options.bytes;\n',
    replace: '',
  },
  {
    rule: 20,
    file: `${gateway}/limits/room.ts`,
    search: 'slots !== null && inflight >= slots',
    replace: 'slots !== null && inflight > slots',
  },
  {
    rule: 21,
    file: `${gateway}/policies/prefix-affinity.ts`,
    search: 'leastLoaded(among.length > 0 ? among : open,',
    replace: 'leastLoaded(open,',
  },
  {
    rule: 22,
    file: `${gateway}/routing/health-checks.ts`,
    search: "if (status === 503) return 'loading';",
    replace: "if (status === 503) return 'silent';",
  },
  {
    rule: 23,
    file: `${gateway}/observe/snapshot.ts`,
    search: 'if (!kept || kept.upstream.url !== url) return null;',
    replace: 'if (!kept || kept.upstream.url === url) return null;',
  },
  {
    rule: 23,
    file: `${gateway}/front/handler.ts`,
    search: "throw methodFault(inbound.method, path, 'POST');\n    if (state.draining) throw draining();",
    replace: "throw methodFault(inbound.method, path, 'POST');",
  },
  {
    rule: 23,
    file: `${gateway}/front/handler.ts`,
    search: '  if (stored !== null) {\n    if (state.draining) throw draining();',
    replace: '  if (stored !== null) {',
  },
  {
    rule: 23,
    file: `${gateway}/front/handler.ts`,
    search: "state.draining ? 'draining' : isUnready",
    replace: 'isUnready',
  },
  {
    rule: 23,
    file: `${gateway}/gateway.ts`,
    search: '      state.draining = true;\n',
    replace: '',
  },
  {
    rule: 24,
    file: `${gateway}/reply/tail.ts`,
    search: 'const keep = 2048;',
    replace: 'const keep = 2 ** 30;',
  },
  {
    rule: 25,
    file: `${gateway}/front/scan-form.ts`,
    search: 'if (found || name !== wanted) throw',
    replace: 'if (name !== wanted) throw',
  },
  {
    rule: 1,
    file: `${gateway}/front/call.ts`,
    search: '    call.phase?.leave();\n',
    replace: '',
  },
  {
    rule: 2,
    file: `${gateway}/routing/serve-model.ts`,
    search: 'call.status = 499;',
    replace: 'call.status = 500;',
  },
  {
    rule: 12,
    file: `${gateway}/reply/faults.ts`,
    search: "code: 'no_healthy_instance',\n    message,\n    retryAfter,",
    replace: "code: 'no_healthy_instance',\n    message,",
  },
  {
    rule: 13,
    file: `${gateway}/limits/book.ts`,
    search: 'if (more >= 0 || slot === undefined || slot >= count.slot)',
    replace: 'if (more >= 0 || slot === undefined)',
  },
  {
    rule: 15,
    file: `${gateway}/reply/reply-head.ts`,
    search: 'model: model === call.model ? null : model',
    replace: 'model: null',
  },
  {
    rule: 15,
    file: `${gateway}/reply/named-reply.ts`,
    search: 'return bytes.includes(mark, from) ? namedLines(bytes, from, this.#name) : bytes;',
    replace: 'return bytes;',
  },
  {
    rule: 17,
    file: `${gateway}/front/scan.ts`,
    search: 'if (key < lax && (spans[2 * key] as number) >= 0)',
    replace: 'if (key < lax && (spans[2 * key] as number) < -9)',
  },
  {
    rule: 20,
    file: `${gateway}/routing/deployment.ts`,
    search: '          exit(waiter);\n          waiter.refuse(new ClientGone());',
    replace: '          waiter.refuse(new ClientGone());',
  },
  {
    rule: 21,
    file: `${gateway}/policies/prefix-affinity.ts`,
    search: 'holders.has(one.id) && withinBound(one, alive, options.loadFactor)',
    replace: 'holders.has(one.id)',
  },
  {
    rule: 22,
    file: `${gateway}/routing/deployment.ts`,
    search: 'mayEject: ejected + 1 <= this.instances.length / 2',
    replace: 'mayEject: true',
  },
  {
    rule: 22,
    file: `${gateway}/routing/vanished.ts`,
    search: 'checks >= fewestChecks',
    replace: 'checks < 0',
  },
  {
    rule: 3,
    file: 'src/io/http-server/connection.ts',
    search: 'left > 0 && now - this.#unreadSince',
    replace: 'left < 0 && now - this.#unreadSince',
  },
  {
    rule: 12,
    file: `${gateway}/admission/admission.ts`,
    search: 'const spread = expectedMs(service) * (1 + random * 0.5);',
    replace: 'const spread = 1000 * (1 + random * 0.5);',
  },
  {
    rule: 21,
    file: `${gateway}/policies/prefix-affinity/prefix-index.ts`,
    search: 'this.evictions += 1;',
    replace: '',
  },
  {
    rule: 21,
    file: `${gateway}/policies/prefix-hash.ts`,
    search: 'return place?.one ?? leastLoaded(open, anywhere(random));',
    replace: 'return leastLoaded(open, anywhere(random));',
  },
  {
    rule: 8,
    file: 'src/io/http-server/limits.ts',
    search: 'idleMs: 75_000,',
    replace: 'idleMs: 5000,',
  },
  {
    rule: 11,
    file: `${gateway}/limits/refusals.ts`,
    search: "type: 'rate_limit_error',\n    code: 'insufficient_quota',",
    replace: "type: 'rate_limit_error',\n    code: 'Insufficient quota',",
  },
];
