// Clients of an OpenAI-compatible server, run where the suite's host has them: one line of JSON for each request as it ends.
//   node client.mjs '{"clients": [{"url": "http://…", "model": "…", "count": 2}], "each": 1}'
// Each client streams one completion after the other, always the same, and tries nothing again. It ends after `each`
// requests, or when standard input does.
const { clients, each = Infinity } = JSON.parse(process.argv[2]);
let ended = false;
if (each === Infinity) process.stdin.resume().on('end', () => (ended = true));

async function complete(url, model) {
  const body = {
    model,
    prompt: 'once upon a time there was',
    max_tokens: 48,
    temperature: 0,
    seed: 7,
    cache_prompt: false,
    ignore_eos: true,
    stream: true,
    stream_options: { include_usage: true },
  };
  const reply = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const raw = await reply.text();
  const events = raw
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)));
  return {
    status: reply.status,
    retryAfter: reply.headers.get('retry-after'),
    text: events.map((event) => event.choices?.[0]?.text ?? '').join(''),
    tokens: events.findLast((event) => event.usage)?.usage.completion_tokens ?? null,
    done: raw.trimEnd().endsWith('data: [DONE]'),
    said: reply.ok ? '' : raw,
  };
}

async function client({ url, model }) {
  for (let sent = 0; sent < each && !ended; sent += 1) {
    const nothing = { status: 0, retryAfter: null, text: '', tokens: null, done: false };
    const got = await complete(url, model).catch((error) => ({
      ...nothing,
      said: String(error.cause ?? error),
    }));
    console.log(JSON.stringify({ model, ...got }));
    if (got.status !== 200) await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

await Promise.all(clients.flatMap((one) => Array.from({ length: one.count }, () => client(one))));
process.exit();
