// Clients of a gateway: `node stream-texts.mjs URL OUT STOP CLIENTS MODEL...`. Each streams the same question to its model over and over
// until the file STOP is there, at least once, and each answer becomes a line of OUT: {client, model, status, text, whole}.
import { appendFileSync, existsSync } from 'node:fs';

const [url, out, stop, clients, ...models] = process.argv.slice(2);

async function ask(client, model) {
  const body = { model, prompt: `question ${client}`, max_tokens: 16, temperature: 0, stream: true };
  let status = 0;
  let events = '';
  try {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    status = reply.status;
    events = await reply.text();
  } catch (error) {
    events = String(error);
  }
  const whole = status === 200 && events.trimEnd().endsWith('data: [DONE]') && !events.includes('"error"');
  const pieces = whole
    ? events
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.text ?? '')
    : [events];
  appendFileSync(out, `${JSON.stringify({ client, model, status, whole, text: pieces.join('') })}\n`);
}

await Promise.all(
  Array.from({ length: Number(clients) }, async (_, client) => {
    do await ask(client, models[client % models.length]);
    while (!existsSync(stop));
  }),
);
