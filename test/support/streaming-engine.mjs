// A server that stands in for an engine that streams: `node streaming-engine.mjs PORT [FAULT]`. Every chat completion is a stream of
// events that name its process and count up, a few milliseconds apart; its own end cuts what is under way. FAULT: `slow` keeps the
// first event back, `cuts` breaks off after it, `loads` is never ready, `closes` ends a connection, unannounced, as a second request comes.
import { createServer } from 'node:http';

const events = 8;
const gapMs = 20;
const slowMs = 1500;
const fault = process.argv[3];

const known = new WeakSet();

const server = createServer((request, response) => {
  request.resume();
  if (fault === 'closes' && known.has(request.socket)) return void request.socket.destroy();
  known.add(request.socket);
  if (request.url !== '/v1/chat/completions') {
    response.setHeader('content-type', 'application/json');
    if (fault === 'loads') response.statusCode = 503;
    return void response.end(
      request.url === '/v1/models'
        ? '{"object":"list","data":[{"id":"fake","object":"model"}]}'
        : '{"status":"ok"}',
    );
  }
  response.setHeader('content-type', 'text/event-stream');
  let sent = 0;
  let late = fault === 'slow' ? slowMs / gapMs : 0;
  const timer = setInterval(() => {
    if ((late -= 1) > 0) return;
    sent += 1;
    if (fault === 'cuts' && sent > 1) return void response.destroy();
    response.write(`data: {"choices":[{"delta":{"content":"${process.pid}:${sent} "}}]}\n\n`);
    if (sent < events) return;
    clearInterval(timer);
    response.end('data: [DONE]\n\n');
  }, gapMs);
  response.on('close', () => clearInterval(timer));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
