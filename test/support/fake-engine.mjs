// A server that stands in for an engine: `node fake-engine.mjs PORT [--crash | --slow MS | --late MS | --deaf | --sick | --child | --gate FILE [MS]]`; with --gate it is ready once FILE is there, and serves on for MS after SIGTERM.
// With --late MS it serves on for as long after SIGTERM.
// With --mute FILE its /health gives no answer while FILE is there, and chat streams an event each 50 ms until the client leaves.
// With --keyed FILE every answer asks for the key in FILE.
// It answers /health, /v1/models and /v1/chat/completions, and says on stdout what it does.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, mode, value, late] = process.argv.slice(2);
// Whoever is asked for his flags serves nothing: berth waits twenty seconds for an answer.
if (!/^\d+$/.test(port ?? '')) {
  console.error('error: a port is wanted');
  process.exit(2);
}
console.log(`fake engine on port ${port}, mode ${mode ?? 'plain'}`);
if (mode === '--crash') {
  console.error('error: cannot load the model: bad magic');
  process.exit(3);
}
if (mode === '--child') {
  // A launcher: the server is a process of its own below it.
  const child = spawn(process.execPath, [process.argv[1], port], { stdio: 'inherit' });
  child.on('exit', (code) => process.exit(code ?? 1));
} else {
  if (mode === '--deaf') process.on('SIGTERM', () => console.log('SIGTERM ignored'));
  if (mode === '--late') process.on('SIGTERM', () => setTimeout(() => process.exit(0), Number(value)));
  if (mode === '--gate' && late) process.on('SIGTERM', () => setTimeout(() => process.exit(0), Number(late)));
  const started = Date.now();
  const server = createServer((request, response) => {
    const ready =
      mode !== '--sick' &&
      !(mode === '--gate' && !existsSync(value)) &&
      Date.now() - started >= (mode === '--slow' ? Number(value) : 0);
    if (
      mode === '--keyed' &&
      request.headers.authorization !== `Bearer ${readFileSync(value, 'utf8').trim()}`
    )
      return void response.writeHead(401).end('{"error":{"message":"Invalid API key"}}');
    if (mode === '--mute' && request.url === '/health' && existsSync(value)) return;
    if (mode === '--mute' && request.url === '/v1/chat/completions') return stream(request, response);
    response.setHeader('content-type', 'application/json');
    if (!ready) return void response.writeHead(503).end('{"error":{"message":"Loading model"}}');
    if (request.url === '/v1/models')
      return void response.end(JSON.stringify({ object: 'list', data: [{ id: 'fake', object: 'model' }] }));
    if (request.url === '/v1/chat/completions') {
      const message = { role: 'assistant', content: `hello from ${process.pid}` };
      const usage = { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      request.resume();
      return void response.end(JSON.stringify({ object: 'chat.completion', choices, usage }));
    }
    response.end('{"status":"ok"}');
  });
  server.on('error', (error) => {
    console.error(`error: ${error.message}`);
    process.exit(1);
  });
  server.listen(Number(port), '127.0.0.1');
}

function stream(request, response) {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'a' } }] };
  const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), 50);
  response.on('close', () => clearInterval(timer));
}
