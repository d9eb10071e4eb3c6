// The yardstick of the benchmark: node:http, every chunk of a stream parsed as it comes. URL STREAMS
import http from 'node:http';

const [url = '', streams = '1'] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const body = JSON.stringify({
  model: 'truth',
  stream: true,
  messages: [{ role: 'user', content: 'case=load' }],
});
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
const times = [];

function ask() {
  const request = http.request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (reply) => {
    let rest = '';
    reply.setEncoding('utf8');
    reply.on('data', (text) => {
      const at = performance.now();
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
        if (JSON.parse(line.slice(6)).choices[0]?.delta?.content) times.push(at);
      }
    });
    reply.on('end', () => {
      times.length = 0;
      ask();
    });
  });
  request.end(body);
}

for (let i = 0; i < Number(streams); i += 1) ask();
