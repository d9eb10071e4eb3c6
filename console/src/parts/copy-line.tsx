import { useState } from 'react';
import type { ReactNode } from 'react';

/** A line to paste elsewhere, with a button that copies it. Without the right to the clipboard the line is selected instead. */
export function CopyLine({ text, label }: { text: string; label: string }): ReactNode {
  const [done, setDone] = useState(false);
  async function copy(event: { currentTarget: HTMLElement }): Promise<void> {
    const line = event.currentTarget.previousElementSibling;
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      setTimeout(() => setDone(false), 2_000);
    } catch {
      if (line) getSelection()?.selectAllChildren(line);
    }
  }
  return (
    <div className="copy-line">
      <code tabIndex={0} aria-label={label}>
        {text}
      </code>
      <button className="button small" type="button" onClick={(event) => void copy(event)}>
        <span aria-live="polite">{done ? 'Copied' : 'Copy'}</span>
      </button>
    </div>
  );
}
