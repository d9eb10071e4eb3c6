/** The page's own style, for light and dark screens and for paper. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6778; --line: #dde3ea; --page: #f6f8fa; --card: #ffffff;
  --accent: #1f6feb; --accent-soft: #9cc2f7; --warn: #8a5a00; --warn-page: #fff6df; --bad: #b42318; --bad-page: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf2; --soft: #9aa7b8; --line: #2c3542; --page: #0f141b;
  --card: #171e27; --accent: #6aa8ff; --accent-soft: #2d5791; --warn: #f0c674; --warn-page: #2b2413; --bad: #ff9b92; --bad-page: #361917; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 36px 0 12px; }
.lead { color: var(--soft); margin: 0 0 20px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; }
.tile, figure, .scroll { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px; }
.tile b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.note { border-radius: 8px; padding: 10px 14px; margin: 8px 0; background: var(--warn-page); color: var(--warn); overflow-wrap: anywhere; }
.note.bad { background: var(--bad-page); color: var(--bad); font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 14px; }
figure { margin: 0; padding: 14px 16px 8px; }
figcaption { font-weight: 600; margin-bottom: 6px; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .label { text-anchor: end; fill: var(--ink); }
svg .axis { text-anchor: middle; font-size: 12px; }
svg .value { fill: var(--ink); }
svg .grid { stroke: var(--line); }
svg .bar { fill: var(--accent); }
svg .ideal { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 3 3; }
svg .range { stroke: var(--accent-soft); stroke-width: 4; }
svg .interval { stroke: var(--accent); stroke-width: 8; opacity: 0.45; }
svg .tick { stroke: var(--accent); stroke-width: 2; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 2; }
svg .line1 { stroke: var(--soft); stroke-dasharray: 5 4; }
svg .dot { fill: var(--accent); }
.scroll { overflow-x: auto; margin-bottom: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 9px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
.words td:last-child { white-space: normal; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; }
td small { color: var(--soft); display: block; }
dl { display: grid; grid-template-columns: minmax(120px, max-content) 1fr; gap: 6px 18px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { background: none; } .tile, figure, .scroll { break-inside: avoid; } }
`;
