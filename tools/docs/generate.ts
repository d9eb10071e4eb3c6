// `npm run docs`: writes the generated parts of docs/ and README anew. A test says when that is needed.
import { readFileSync, writeFileSync } from 'node:fs';
import { regenerate } from './blocks.ts';
import { pagePaths } from './pages.ts';

for (const path of pagePaths()) {
  const before = readFileSync(path, 'utf8');
  const after = await regenerate(before);
  if (after === before) continue;
  writeFileSync(path, after);
  console.log(`written: ${path}`);
}
