// Stands in for vLLM: `node fake-vllm.mjs serve MODEL --host HOST --port PORT --chat-template FILE`. It is ready at once, and
// /apply-template, which is llama-server's, gives what it makes of the first message: its template is read when it starts.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

function after(flag) {
  return process.argv[process.argv.indexOf(flag) + 1];
}

const template = readFileSync(after('--chat-template'), 'utf8');
process.on('SIGTERM', () => process.exit(0));
createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  const { messages = [{ content: '' }] } = JSON.parse(body || '{}');
  const prompt = template.replace('{{ messages[0].content }}', messages[0].content);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ object: 'list', data: [{ id: 'fake', object: 'model' }], prompt }));
}).listen(Number(after('--port')), after('--host'));
