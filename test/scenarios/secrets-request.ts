import https from 'node:https';

/** One request over TLS: its status, headers and body as a text. */
export function get(
  url: string,
  { ca, key, model }: { ca: string; key: string; model: string },
): Promise<string> {
  const body = JSON.stringify({ model, messages: [] });
  return new Promise((resolve, reject) => {
    const request = https.request(
      `${url}/v1/chat/completions`,
      { method: 'POST', ca, headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` } },
      (reply) => {
        let text = `${reply.statusCode} ${JSON.stringify(reply.rawHeaders)}\n`;
        reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
        reply.on('end', () => resolve(text));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
