// An engine in a process of its own, to be killed. A stream whose `user` is "begun" gets its first event at once; all end
// when GET /release has come. Says its port on stdout.
import http from 'node:http';

let released = false;
const waiting = [];

function finish(response) {
  response.end('data: {"choices":[{"index":0,"delta":{"content":"end"}}]}\n\ndata: [DONE]\n\n');
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (request.url === '/release') {
      released = true;
      for (const one of waiting) finish(one);
      response.end('{}');
      return;
    }
    if (JSON.parse(Buffer.concat(parts).toString()).user === 'begun') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"first"}}]}\n\n');
    } else response.setHeader('content-type', 'text/event-stream');
    if (released) finish(response);
    else waiting.push(response);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
