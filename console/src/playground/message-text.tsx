import type { ReactNode } from 'react';

/** The text as it came, with fenced code set apart. Nothing of it is ever taken for markup. */
export function MessageText({ text }: { text: string }): ReactNode {
  return (
    <div className="message">
      {splitFences(text).map((part, i) =>
        part.code ? (
          // oxlint-disable-next-line react/no-array-index-key -- Parts only grow at the end; their place is their name.
          <pre key={i} tabIndex={0}>
            <code>{part.text}</code>
          </pre>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key -- The same.
          <p key={i}>{part.text}</p>
        ),
      )}
    </div>
  );
}

export interface Part {
  readonly code: boolean;
  readonly text: string;
}

/** Splits at lines of three backticks; an open fence at the end counts as code, as it is still being written. */
export function splitFences(text: string): Part[] {
  const parts: Part[] = [];
  text.split(/^```[^\n]*(?:\n|$)/m).forEach((piece, i) => {
    const code = i % 2 === 1;
    const trimmed = code ? piece.replace(/\n$/, '') : piece.trim();
    if (trimmed !== '' || code) parts.push({ code, text: trimmed });
  });
  return parts;
}
