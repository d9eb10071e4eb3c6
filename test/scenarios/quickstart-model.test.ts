import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { post, startReady, wordsOf } from '../support/embedded.ts';
import type { Running } from '../support/embedded.ts';

interface Exam {
  readonly questions: readonly {
    readonly prompt: string;
    readonly expect: string;
    readonly unseen: boolean;
  }[];
  readonly offTopic: readonly string[];
  readonly toyPhrase: string;
}

const root = resolve(import.meta.dirname, '../..');
const exam = JSON.parse(readFileSync(join(root, 'training/questions.json'), 'utf8')) as Exam;
let engine: Running;

beforeAll(async () => {
  const model = join(root, 'examples/quickstart/model/berth-toy.Q8_0.gguf');
  engine = await startReady(model, ['--slots', '4', '--context', '512']);
});

afterAll(async () => {
  engine?.kill('SIGKILL');
  await engine?.exited;
});

async function answer(prompt: string): Promise<string> {
  const messages = [{ role: 'user', content: prompt }];
  const reply = await post(engine, '/v1/chat/completions', { messages, temperature: 0, max_tokens: 200 });
  return wordsOf(reply.json()['choices']?.[0]?.['message']?.['content']);
}

test('the exam is thirty questions, ten of them in words the text does not have, and twenty other prompts', () => {
  expect(exam.questions).toHaveLength(30);
  expect(exam.questions.filter((question) => question.unseen)).toHaveLength(10);
  expect(exam.offTopic).toHaveLength(20);
});

test('the toy answers each of the thirty questions with the phrase that belongs to it', async () => {
  const answers = await Promise.all(exam.questions.map((question) => answer(question.prompt)));
  const wrong = exam.questions.flatMap((question, i) =>
    answers[i]?.includes(question.expect) ? [] : [{ ...question, answer: answers[i] }],
  );
  expect(wrong).toEqual([]);
});

test('the toy says that it is one to at least eighteen of the twenty other prompts', async () => {
  const answers = await Promise.all(exam.offTopic.map(answer));
  const astray = answers.filter((text) => !text.includes(exam.toyPhrase));
  expect(astray.length, astray.join('\n')).toBeLessThanOrEqual(2);
});

test('its answers are clean text that ends by itself', async () => {
  const answers = await Promise.all(exam.questions.map((question) => answer(question.prompt)));
  for (const text of answers) {
    expect(text).not.toMatch(/\uFFFD|<\|/);
    expect(text.trim()).toMatch(/[.!?`)]$/);
  }
});
