import type { Mutation } from './mutation.ts';

const gateway = 'src/gateway';

/** Rules 1 to 11: how a request passes on to an engine, and its reply back. */
export const forwardingRules: readonly Mutation[] = [
  {
    rule: 1,
    file: `${gateway}/upstream/attempt.ts`,
    search: '    this.#exchange.abort();\n    if (this.#writer && !this.#call.gone)',
    replace: '    if (this.#writer && !this.#call.gone)',
  },
  {
    rule: 1,
    file: `${gateway}/front/call.ts`,
    search: '    call.phase?.leave();\n',
    replace: '',
  },
  {
    rule: 2,
    file: `${gateway}/upstream/attempt.ts`,
    search: "verdict: Verdict = 'untold'",
    replace: "verdict: Verdict = 'broke'",
  },
  {
    rule: 2,
    file: `${gateway}/routing/serve-model.ts`,
    search: 'call.status = 499;',
    replace: 'call.status = 500;',
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
    rule: 3,
    file: 'src/io/http-server/connection.ts',
    search: 'left > 0 && now - this.#unreadSince',
    replace: 'left < 0 && now - this.#unreadSince',
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
    rule: 8,
    file: 'src/io/upstream-pool/keep-habit.ts',
    search: 'Math.max(usualMs, livedMs * 0.8)',
    replace: 'longestMs',
  },
  {
    rule: 8,
    file: 'src/io/upstream-pool/keep-habit.ts',
    search: 'return !known && livedMs < triedMs;',
    replace: 'return livedMs < triedMs;',
  },
  {
    rule: 8,
    file: 'src/io/http-server/limits.ts',
    search: 'idleMs: 75_000,',
    replace: 'idleMs: 5000,',
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
    rule: 11,
    file: `${gateway}/limits/refusals.ts`,
    search: "type: 'rate_limit_error',\n    code: 'insufficient_quota',",
    replace: "type: 'rate_limit_error',\n    code: 'Insufficient quota',",
  },
];
