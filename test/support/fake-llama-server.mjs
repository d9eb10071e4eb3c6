// Stands in for a llama-server: `node fake-llama-server.mjs --port N …`. It is well at once; what it does when it is asked for a
// token says FAKE_TOKENS: "good", "late" (503 twice, then good), "broken" (500), "embeds" (501 but for embeddings), "keyed" (401).
import { createServer } from 'node:http';

const words = process.argv.slice(2);
if (words.includes('--help')) process.exit(0);
const mode = process.env.FAKE_TOKENS ?? 'good';
let asked = 0;

const server = createServer((request, reply) => {
  request.resume();
  reply.setHeader('content-type', 'application/json');
  if (request.method !== 'POST') {
    if (request.url === '/health') return void reply.end('{"status":"ok"}');
    return void reply.end('{"object":"list","data":[{"id":"fake","object":"model"}]}');
  }
  asked += 1;
  console.log(`asked ${request.url}`);
  if (mode === 'broken') return refuse(reply, 500, 'CUDA error: out of memory');
  if (mode === 'keyed') return refuse(reply, 401, 'Invalid API Key');
  if (mode === 'late' && asked <= 2) return refuse(reply, 503, 'Loading model');
  if (mode === 'embeds' && request.url !== '/v1/embeddings') return refuse(reply, 501, 'no completions');
  if (request.url === '/v1/embeddings') return void reply.end('{"data":[{"embedding":[0.5]}]}');
  reply.end('{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"text":"Hi"}]}');
});
server.listen(Number(words[words.indexOf('--port') + 1]), '127.0.0.1');

function refuse(reply, status, message) {
  reply.writeHead(status).end(JSON.stringify({ error: { message } }));
}
